#include "loop/job_queue.h"

#include <string>
#include <utility>

#include "base/macros.h"
#include "base/thread.h"

namespace trims {

Result<std::unique_ptr<JobQueue>> JobQueue::Start(int threads) {
  if (threads < 1) {
    return Status(StatusCode::kInvalidArgument,
                  "a queue needs a thread, not " + std::to_string(threads) + " of them");
  }
  std::unique_ptr<JobQueue> queue(new JobQueue());
  for (int i = 0; i < threads; ++i) {
    TRIMS_ASSIGN_OR_RETURN(std::thread thread,
                           StartThread([queue = queue.get()] { queue->RunUntilClosed(); }));
    queue->threads_.push_back(std::move(thread));
  }
  return queue;
}

JobQueue::~JobQueue() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void JobQueue::Push(Job job) {
  MutexLock lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.NotifyOne();
}

bool JobQueue::Pop(Job* job) {
  MutexLock lock(mutex_);
  while (jobs_.empty() && !closed_) changed_.Wait(mutex_);
  if (jobs_.empty()) return false;
  *job = std::move(jobs_.front());
  jobs_.pop_front();
  return true;
}

void JobQueue::RunUntilClosed() {
  for (Job job; Pop(&job);) {
    job();
    job = nullptr;
  }
}

}  // namespace trims
