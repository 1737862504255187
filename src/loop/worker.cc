#include "loop/worker.h"

#include <cerrno>
#include <deque>
#include <system_error>
#include <thread>
#include <utility>

#include "base/errno_status.h"
#include "base/fault.h"
#include "base/mutex.h"

namespace trims {
namespace {

class ThreadWorker final : public Worker {
 public:
  explicit ThreadWorker(PostToLoop post) : post_(std::move(post)) {}

  ~ThreadWorker() override {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wakeup_.NotifyOne();
    if (thread_.joinable()) thread_.join();
  }

  Status Start() {
    int error = fault::Check(fault::Op::kThread);
    if (error == 0) {
      try {
        thread_ = std::thread([this] { Loop(); });
      } catch (const std::system_error& failure) {  // the only way in which std::thread reports it
        error = failure.code().value();
      }
    }
    if (error == 0) return {};
    return Status(StatusCode::kResourceExhausted,
                  ErrnoStatus("can't start a worker thread", error).message(),
                  "raise the limit on threads (ulimit -u, pids.max)");
  }

  void Run(std::function<void()> work, std::function<void()> done) override {
    {
      MutexLock lock(mutex_);
      jobs_.push_back({std::move(work), std::move(done)});
    }
    wakeup_.NotifyOne();
  }

 private:
  struct Job {
    std::function<void()> work;
    std::function<void()> done;
  };

  bool Take(Job* job) {
    MutexLock lock(mutex_);
    while (jobs_.empty() && !stopping_) wakeup_.Wait(mutex_);
    if (jobs_.empty()) return false;
    *job = std::move(jobs_.front());
    jobs_.pop_front();
    return true;
  }

  void Loop() {
    for (Job job; Take(&job); job = {}) {
      job.work();
      post_(std::move(job.done));
    }
  }

  const PostToLoop post_;
  Mutex mutex_;
  CondVar wakeup_;
  std::deque<Job> jobs_ TRIMS_GUARDED_BY(mutex_);
  bool stopping_ TRIMS_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Worker>> MakeThreadWorker(PostToLoop post) {
  auto worker = std::make_unique<ThreadWorker>(std::move(post));
  Status started = worker->Start();
  if (!started.ok()) return started;
  return std::unique_ptr<Worker>(std::move(worker));
}

}  // namespace trims
