#include <atomic>
#include <utility>

#include "base/macros.h"
#include "load/loader.h"
#include "loop/job_queue.h"

namespace trims {
namespace {

// Freeing has a queue and a thread of its own: the space for which a load may be waiting must not
// wait for the loads before it.
class ThreadLoader final : public Loader {
 public:
  explicit ThreadLoader(PostToLoop post) : post_(std::move(post)) {}

  ~ThreadLoader() override { stopping_.store(true); }

  Status Start(int loaders) {
    TRIMS_ASSIGN_OR_RETURN(frees_, JobQueue::Start(1));
    TRIMS_ASSIGN_OR_RETURN(loads_, JobQueue::Start(loaders));
    return Status();
  }

  void Load(LoadPlan plan, CancelFlag cancel,
            std::function<void(Result<ResidentBytes>)> done) override {
    loads_->Push([this, plan = std::move(plan), cancel = std::move(cancel),
                  done = std::move(done)] { RunLoad(plan, *cancel, done); });
  }

  void Free(ResidentBytes bytes, std::function<void()> done) override {
    auto owned = std::make_shared<std::unique_ptr<ResidentBytes>>(
        std::make_unique<ResidentBytes>(std::move(bytes)));
    frees_->Push([this, owned, done = std::move(done)] {
      owned->reset();
      post_(done);
    });
  }

 private:
  void RunLoad(const LoadPlan& plan, FillControl& cancel,
               const std::function<void(Result<ResidentBytes>)>& done) {
    // std::function must be copyable, the result isn't.
    auto result = std::make_shared<Result<ResidentBytes>>(
        stopping_ ? Status(StatusCode::kCancelled, "the daemon is stopping")
                  : LoadSegment(plan, cancel));
    post_([done, result] { done(std::move(*result)); });
  }

  const PostToLoop post_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<JobQueue> frees_;
  std::unique_ptr<JobQueue> loads_;
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
