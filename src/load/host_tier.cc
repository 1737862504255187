#include "load/host_tier.h"

#include <atomic>
#include <utility>

#include "base/macros.h"
#include "load/fill.h"
#include "loop/job_queue.h"

namespace trims {
namespace {

class HostTier final : public Tier {
 public:
  HostTier(HostTierOptions options, PostToLoop post)
      : options_(std::move(options)), post_(std::move(post)), budget_("host", options_.budget) {}

  ~HostTier() override { stopping_.store(true); }

  Status Start() {
    TRIMS_ASSIGN_OR_RETURN(releases_, JobQueue::Start(1));
    TRIMS_ASSIGN_OR_RETURN(fills_, JobQueue::Start(options_.threads));
    return Status();
  }

  std::string_view name() const override { return "host"; }
  Budget& budget() override { return budget_; }

  void Fill(FillRequest request, std::function<void(Result<ResidentBytes>)> done) override {
    fills_->Push([this, request = std::move(request), done = std::move(done)]() mutable {
      // std::function must be copyable, the result isn't.
      auto result = std::make_shared<Result<ResidentBytes>>(Run(request));
      request = {};
      post_([done = std::move(done), result] { done(std::move(*result)); });
    });
  }

  void Release(ResidentBytes bytes, std::function<void()> done) override {
    auto owned = std::make_shared<std::unique_ptr<ResidentBytes>>(
        std::make_unique<ResidentBytes>(std::move(bytes)));
    releases_->Push([this, owned, done = std::move(done)]() mutable {
      owned->reset();
      post_(std::move(done));
    });
  }

 private:
  Result<ResidentBytes> Run(const FillRequest& request) const {
    if (stopping_.load()) return Status(StatusCode::kCancelled, "the daemon is stopping");
    return FillFromFiles(*request.image,
                         {.prepared_root = options_.prepared_root,
                          .pages = options_.pages,
                          .engine = options_.engine},
                         request.control.get());
  }

  const HostTierOptions options_;
  const PostToLoop post_;
  Budget budget_;
  std::atomic<bool> stopping_{false};
  // The first to go: what is left in them posts.
  std::unique_ptr<JobQueue> releases_;
  std::unique_ptr<JobQueue> fills_;
};

}  // namespace

Result<std::unique_ptr<Tier>> MakeHostTier(const HostTierOptions& options, PostToLoop post) {
  if (options.threads < 1) {
    return Status(StatusCode::kInvalidArgument,
                  std::to_string(options.threads) + " loader threads: expected at least 1");
  }
  auto tier = std::make_unique<HostTier>(options, std::move(post));
  TRIMS_RETURN_IF_ERROR(tier->Start());
  return std::unique_ptr<Tier>(std::move(tier));
}

}  // namespace trims
