#include "load/host_tier.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/cancel_token.h"
#include "base/clock.h"
#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/sys.h"
#include "load/fill.h"
#include "load/kept_copy.h"
#include "loop/job_queue.h"

namespace trims {
namespace {

constexpr int kMostWaitingCopies = 4;

Result<Handle> ToFollow(const Handle& handle) {
  Handle again{.fd = sys::ReopenReadOnly(handle.fd.get()), .length = handle.length};
  if (!again.fd) return ErrnoStatus("re-opening an extent");
  return again;
}

// For whoever follows a fill whose bytes are all there from the beginning.
Status FeedAll(const ResidentBytes& bytes, FillFeed* feed) {
  FedBytes fed;
  TRIMS_ASSIGN_OR_RETURN(fed.index, ToFollow(bytes.index));
  for (const Handle& extent : bytes.extents) {
    TRIMS_ASSIGN_OR_RETURN(Handle again, ToFollow(extent));
    fed.extents.push_back(std::move(again));
  }
  feed->Begin(std::move(fed));
  for (size_t i = 0; i < bytes.extents.size(); ++i) feed->Ready(i, bytes.extents[i].length);
  return Status();
}

class HostTier final : public Tier {
 public:
  HostTier(HostTierOptions options, PostToLoop post)
      : options_(std::move(options)), post_(std::move(post)), budget_("host", options_.budget) {}

  ~HostTier() override {
    stopping_.store(true);
    stop_copies_.Cancel();
  }

  Status Start() {
    TRIMS_ASSIGN_OR_RETURN(releases_, JobQueue::Start(1));
    TRIMS_ASSIGN_OR_RETURN(copies_, JobQueue::Start(1));
    TRIMS_ASSIGN_OR_RETURN(fills_, JobQueue::Start(options_.threads));
    TRIMS_ASSIGN_OR_RETURN(fetches_, JobQueue::Start(options_.threads));
    return Status();
  }

  std::string_view name() const override { return "host"; }
  Budget& budget() override { return budget_; }
  bool feeds() const override { return options_.feeds; }

  void Fill(FillRequest request, std::function<void(Result<ResidentBytes>)> done) override {
    auto room = RoomFor(*request.image);
    JobQueue& queue = request.image->variant.remote ? *fetches_ : *fills_;
    queue.Push([this, request = std::move(request), room = std::move(room),
                done = std::move(done)]() mutable {
      std::unique_ptr<KeptCopy> copy;
      // std::function must be copyable, the result isn't.
      auto result =
          std::make_shared<Result<ResidentBytes>>(Obtain(request, room ? &copy : nullptr));
      request.control->feed()->End(result->status());
      const std::string reference = request.image->reference;
      request = {};
      post_([done = std::move(done), result] { done(std::move(*result)); });
      if (room) Finish(reference, std::move(copy), std::move(room));
    });
  }

  void TakeIn(FillRequest request, Duration load_time, ResidentBytes bytes,
              std::function<void(Result<ResidentBytes>)> done) override {
    if (options_.keeper == nullptr) return done(std::move(bytes));
    auto result = std::make_shared<Result<ResidentBytes>>(std::move(bytes));
    fills_->Push(
        [this, request = std::move(request), load_time, result, done = std::move(done)]() mutable {
          options_.keeper->Keep(*request.image, load_time, &**result);
          FillFeed* const feed = request.control->feed();
          feed->End(options_.feeds ? FeedAll(**result, feed) : Status());
          request = {};
          post_([done = std::move(done), result] { done(std::move(*result)); });
        });
  }

  void Release(ResidentBytes bytes, LetGoCalls calls) override {
    auto owned = std::make_shared<ResidentBytes>(std::move(bytes));
    releases_->Push([this, owned = std::move(owned), calls = PostedBy(post_, std::move(calls))] {
      if (options_.keeper != nullptr) options_.keeper->LetGo(*owned);
      LetGoOf(std::move(*owned), calls, options_.watch);
    });
  }

  void FindKeepers(std::vector<MemoryId> memory,
                   std::function<void(std::vector<MemoryKeeper>)> done) override {
    releases_->Push([this, memory = std::move(memory), done = std::move(done)]() mutable {
      post_([done = std::move(done), keepers = FindMemoryKeepers(memory)] { done(keepers); });
    });
  }

 private:
  using Room = std::shared_ptr<PreparedStore::Room>;

  // For what is fetched of an image, which need not be anything. A load doesn't fail for the disk's sake.
  Room RoomFor(const Image& image) const {
    if (options_.prepared == nullptr || !image.variant.remote) return nullptr;
    Result<PreparedStore::Room> room =
        options_.prepared->TakeRoom(image.variant.folder, image.file_bytes);
    if (room.ok()) return std::make_shared<PreparedStore::Room>(*std::move(room));
    // What also is a model's that lies nowhere else is complete, and nothing is fetched.
    if (room.status().code() == StatusCode::kFailedPrecondition) return nullptr;
    LogWarning("copy.not_kept", {{"model", image.reference}, {"error", room.status()}});
    return nullptr;
  }

  // From the daemon before, or from the files.
  Result<ResidentBytes> Obtain(const FillRequest& request, std::unique_ptr<KeptCopy>* copy) {
    SegmentKeeper* const keeper = options_.keeper;
    if (keeper == nullptr) return Run(request, copy);
    if (std::optional<ResidentBytes> handed = keeper->TakeHanded(*request.image)) {
      const Status fed = options_.feeds ? FeedAll(*handed, request.control->feed()) : Status();
      if (fed.ok()) return *std::move(handed);
      keeper->LetGo(*handed);
      return fed;
    }
    const TimePoint began = clock_.Now();
    Result<ResidentBytes> bytes = Run(request, copy);
    if (bytes.ok()) keeper->Keep(*request.image, clock_.Now() - began, &*bytes);
    return bytes;
  }

  Result<ResidentBytes> Run(const FillRequest& request, std::unique_ptr<KeptCopy>* copy) {
    if (stopping_.load()) return Status(StatusCode::kCancelled, "the daemon is stopping");
    return FillFromFiles(*request.image,
                         {.prepared_root = options_.prepared_root,
                          .pages = options_.pages,
                          .engine = options_.engine,
                          .network = options_.network,
                          .keep = {.copy = copy, .cancel = &stop_copies_},
                          .feeds = options_.feeds},
                         request.control.get());
  }

  // A copy keeps its segment's memory: while many wait for the disk, whoever fetches has to wait as well.
  void Finish(const std::string& reference, std::unique_ptr<KeptCopy> copy, Room room) {
    if (copy == nullptr) return EndRoom(std::move(room));
    auto owned = std::make_shared<std::unique_ptr<KeptCopy>>(std::move(copy));
    auto finish = [this, reference, owned, room = std::move(room)]() mutable {
      const Status status = (*owned)->Finish();
      owned->reset();
      waiting_copies_.fetch_sub(1);
      status.ok() ? LogInfo("copy.kept", {{"model", reference}})
                  : LogWarning("copy.not_kept", {{"model", reference}, {"error", status}});
      EndRoom(std::exchange(room, nullptr));
    };
    if (waiting_copies_.fetch_add(1) >= kMostWaitingCopies) return finish();
    copies_->Push(std::move(finish));
  }

  // On the loop.
  void EndRoom(Room room) {
    post_([room = std::move(room)] {});
  }

  const HostTierOptions options_;
  const PostToLoop post_;
  const SteadyClock clock_;
  Budget budget_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> waiting_copies_{0};
  CancelToken stop_copies_;
  // The first to go: what is left in them posts.
  std::unique_ptr<JobQueue> copies_;  // after the fills, which push to it
  std::unique_ptr<JobQueue> releases_;
  std::unique_ptr<JobQueue> fills_;
  std::unique_ptr<JobQueue> fetches_;
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
