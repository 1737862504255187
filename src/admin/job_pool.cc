#include "admin/job_pool.h"

#include <utility>

#include "base/macros.h"
#include "base/thread.h"

namespace trims::admin {

Result<std::unique_ptr<JobPool>> JobPool::Start(JobPoolOptions options) {
  std::unique_ptr<JobPool> pool(new JobPool(std::move(options)));
  for (size_t i = 0; i < pool->options_.threads; ++i) {
    TRIMS_ASSIGN_OR_RETURN(std::thread thread, StartThread([raw = pool.get()] { raw->Work(); }));
    pool->threads_.push_back(std::move(thread));
  }
  return pool;
}

JobPool::~JobPool() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

bool JobPool::TryRun(Job job) {
  {
    MutexLock lock(mutex_);
    const size_t room = threads_.size() + options_.queue;
    if (ending_ || jobs_.size() + running_ >= room) return false;
    jobs_.push_back(std::move(job));
  }
  changed_.NotifyOne();
  return true;
}

void JobPool::Work() {
  const std::unique_ptr<DaemonLink> link = options_.link();
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      while (jobs_.empty() && !ending_) changed_.Wait(mutex_);
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      ++running_;
    }
    job(*link);
    MutexLock lock(mutex_);
    --running_;
  }
}

}  // namespace trims::admin
