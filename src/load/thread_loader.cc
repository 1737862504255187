#include <deque>
#include <thread>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "load/loader.h"

namespace trims {
namespace {

// Jobs in order, taken by any number of threads.
class JobQueue {
 public:
  using Job = std::function<void()>;

  void Push(Job job) {
    MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.NotifyOne();
  }

  // Waits for a job; false once the queue is closed and empty.
  bool Pop(Job* job) {
    MutexLock lock(mutex_);
    while (jobs_.empty() && !closed_) changed_.Wait(mutex_);
    if (jobs_.empty()) return false;
    *job = std::move(jobs_.front());
    jobs_.pop_front();
    return true;
  }

  void Close() {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }

  void RunUntilClosed() {
    for (Job job; Pop(&job);) {
      job();
      job = nullptr;  // what it captured ends here, not when the next job comes
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<Job> jobs_ TRIMS_GUARDED_BY(mutex_);
  bool closed_ TRIMS_GUARDED_BY(mutex_) = false;
};

// Freeing has a queue and a thread of its own: the space for which a load may be waiting must not
// wait for the loads before it.
class ThreadLoader final : public Loader {
 public:
  explicit ThreadLoader(PostToLoop post) : post_(std::move(post)) {}

  ~ThreadLoader() override {
    stopping_.store(true);
    loads_.Close();
    frees_.Close();
    for (std::thread& thread : threads_) thread.join();
  }

  Status Start(int loaders) {
    for (int i = 0; i < loaders; ++i) {
      TRIMS_RETURN_IF_ERROR(StartOn(&loads_));
    }
    return StartOn(&frees_);
  }

  void Load(LoadPlan plan, CancelFlag cancel,
            std::function<void(Result<ResidentBytes>)> done) override {
    loads_.Push([this, plan = std::move(plan), cancel = std::move(cancel), done = std::move(done)] {
      RunLoad(plan, *cancel, done);
    });
  }

  void Free(ResidentBytes bytes, std::function<void()> done) override {
    auto owned = std::make_shared<std::unique_ptr<ResidentBytes>>(
        std::make_unique<ResidentBytes>(std::move(bytes)));
    frees_.Push([this, owned, done = std::move(done)] {
      owned->reset();
      post_(done);
    });
  }

 private:
  Status StartOn(JobQueue* queue) {
    TRIMS_ASSIGN_OR_RETURN(std::thread thread, StartThread([queue] { queue->RunUntilClosed(); }));
    threads_.push_back(std::move(thread));
    return Status();
  }

  void RunLoad(const LoadPlan& plan, const std::atomic<bool>& cancel,
               const std::function<void(Result<ResidentBytes>)>& done) {
    // std::function must be copyable, the result isn't.
    auto result = std::make_shared<Result<ResidentBytes>>(
        stopping_ ? Status(StatusCode::kCancelled, "the daemon is stopping")
                  : LoadSegment(plan, cancel));
    post_([done, result] { done(std::move(*result)); });
  }

  const PostToLoop post_;
  std::atomic<bool> stopping_{false};
  JobQueue loads_;
  JobQueue frees_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<Loader>> MakeThreadLoader(int threads, PostToLoop post) {
  if (threads < 1) {
    return Status(StatusCode::kInvalidArgument,
                  std::to_string(threads) + " loader threads: expected at least 1");
  }
  auto loader = std::make_unique<ThreadLoader>(std::move(post));
  TRIMS_RETURN_IF_ERROR(loader->Start(threads));
  return std::unique_ptr<Loader>(std::move(loader));
}

}  // namespace trims
