#include "load/device_tier.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "load/device_fill.h"
#include "loop/job_queue.h"

namespace trims {
namespace {

// At a time; most of their time they wait for those beneath.
constexpr int kFollows = 4;

class DeviceTier final : public Tier {
 public:
  DeviceTier(const DeviceTierOptions& options, Device* device, PostToLoop post)
      : device_(device),
        name_("device:" + std::to_string(options.number)),
        post_(std::move(post)),
        watch_(options.watch),
        budget_(name_, options.budget) {}
  ~DeviceTier() override { stopping_.store(true); }

  Status Start() {
    TRIMS_ASSIGN_OR_RETURN(releases_, JobQueue::Start(1));
    TRIMS_ASSIGN_OR_RETURN(fills_, JobQueue::Start(1));
    TRIMS_ASSIGN_OR_RETURN(follows_, JobQueue::Start(kFollows));
    return Status();
  }

  std::string_view name() const override { return name_; }
  std::string_view device() const override { return device_->info().name; }
  std::string_view device_uuid() const override { return device_->info().uuid; }
  Budget& budget() override { return budget_; }
  uint64_t capacity() const override { return device_->info().capacity; }
  // Of one kind; whether there is a way, the device says when it is asked for it.
  bool TakesFrom(const Tier& peer) const override {
    const auto* other = dynamic_cast<const DeviceTier*>(&peer);
    return other != nullptr && other != this &&
           other->device_->info().memory == device_->info().memory &&
           !device_->info().in_one_piece();
  }
  bool peers_first() const override { return device_->info().peers_first; }
  uint64_t granule() const override {
    if (device_->info().in_one_piece()) return 0;
    return std::max<uint64_t>(device_->info().granularity, kHugePageSize);
  }
  // An index lies in the host's memory. One that is a segment of its own has its bytes counted here, so that it goes by the same rules.
  uint64_t FootprintOf(const Image& image) const override {
    const bool index_alone = image.from != nullptr && image.slices.empty();
    uint64_t bytes = index_alone ? image.footprint : 0;
    for (const ManifestExtent& extent : image.variant.extents) {
      bytes += AlignUp(extent.length, device_->info().granularity);
    }
    return bytes;
  }

  void Fill(FillRequest request, std::function<void(Result<ResidentBytes>)> done) override {
    JobQueue& queue = request.beneath != nullptr ? *fills_ : *follows_;
    queue.Push([this, request = std::move(request), done = std::move(done)]() mutable {
      // std::function must be copyable, the result isn't.
      auto result = std::make_shared<Result<ResidentBytes>>(Run(request));
      request = {};
      post_([done = std::move(done), result] { done(std::move(*result)); });
    });
  }

  void Release(ResidentBytes bytes, LetGoCalls calls) override {
    auto owned = std::make_shared<ResidentBytes>(std::move(bytes));
    releases_->Push([this, owned = std::move(owned), calls = PostedBy(post_, std::move(calls))] {
      LetGoOf(std::move(*owned), calls, watch_);
    });
  }

  void FindKeepers(std::vector<MemoryId> memory,
                   std::function<void(std::vector<MemoryKeeper>)> done) override {
    releases_->Push([this, memory = std::move(memory), done = std::move(done)]() mutable {
      post_([done = std::move(done), keepers = FindMemoryKeepers(memory)] { done(keepers); });
    });
  }

 private:
  Result<ResidentBytes> Run(const FillRequest& request) {
    if (stopping_.load()) return Status(StatusCode::kCancelled, "the daemon is stopping");
    return FillDevice(request, device_);
  }

  Device* const device_;
  const std::string name_;
  const PostToLoop post_;
  MemoryWatch* const watch_;
  Budget budget_;
  std::atomic<bool> stopping_{false};
  // The first to go: what is left in them posts.
  std::unique_ptr<JobQueue> releases_;
  std::unique_ptr<JobQueue> fills_;
  std::unique_ptr<JobQueue> follows_;
};

}  // namespace

Result<std::unique_ptr<Tier>> MakeDeviceTier(const DeviceTierOptions& options, Device* device,
                                             PostToLoop post) {
  auto tier = std::make_unique<DeviceTier>(options, device, std::move(post));
  TRIMS_RETURN_IF_ERROR(tier->Start());
  return std::unique_ptr<Tier>(std::move(tier));
}

}  // namespace trims
