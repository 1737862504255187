#include "loop/worker.h"

#include <utility>

#include "base/macros.h"
#include "loop/job_queue.h"

namespace trims {
namespace {

class ThreadWorker final : public Worker {
 public:
  ThreadWorker(PostToLoop post, std::unique_ptr<JobQueue> jobs)
      : post_(std::move(post)), jobs_(std::move(jobs)) {}

  void Run(std::function<void()> work, std::function<void()> done) override {
    jobs_->Push([this, work = std::move(work), done = std::move(done)]() mutable {
      std::exchange(work, nullptr)();
      post_(std::move(done));
    });
  }

 private:
  const PostToLoop post_;
  const std::unique_ptr<JobQueue> jobs_;  // the first to go: what is left in it posts
};

}  // namespace

Result<std::unique_ptr<Worker>> MakeThreadWorker(PostToLoop post) {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<JobQueue> jobs, JobQueue::Start(1));
  return std::unique_ptr<Worker>(std::make_unique<ThreadWorker>(std::move(post), std::move(jobs)));
}

}  // namespace trims
