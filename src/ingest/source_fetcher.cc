#include "ingest/source_fetcher.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "ingest/progress_to_loop.h"
#include "loop/job_queue.h"
#include "loop/while_alive.h"

namespace trims {
namespace {

// With a loop that has other work: without memory a download merely takes longer.
constexpr std::chrono::seconds kPatience{10};

class ThreadedFetcher final : public SourceFetcher {
 public:
  ThreadedFetcher(FetchFiles fetch, std::unique_ptr<JobQueue> jobs, PostToLoop post,
                  std::optional<LoopAsker> asker)
      : fetch_(std::move(fetch)),
        post_(std::move(post)),
        asker_(std::move(asker)),
        jobs_(std::move(jobs)) {}
  ~ThreadedFetcher() override { cancel_.Cancel(); }

  void Fetch(FetchJob job, Preparer::Progress progress,
             std::function<void(Result<Fetched>)> done) override {
    const StageProgress told =
        ProgressToLoop(post_, alive_.Only([progress = std::move(progress)](
                                              std::string_view stage, uint64_t at, uint64_t total) {
          if (progress) progress(stage, at, total);
        }));
    FetchCalls calls{
        .progress = [told](uint64_t at, uint64_t total) { told("download", at, total); },
        .cancel = &cancel_};
    if (asker_ && job.landing != nullptr) calls.take_room = TakeRoomIn(job.landing);
    // What `done` holds ends on the loop: this thread lets go of it before the loop may run it.
    jobs_->Push([this, job = std::move(job), calls = std::move(calls),
                 done = std::optional(alive_.Only(std::move(done)))]() mutable {
      Result<Fetched> fetched = fetch_(job, calls);
      post_([done = std::exchange(done, std::nullopt), fetched = std::move(fetched)] {
        (*done)(fetched);
      });
    });
  }

 private:
  // The fetching thread asks, and whoever lets go of the room does it there.
  std::function<Result<SharedLandingRoom>(uint64_t)> TakeRoomIn(LandingTier* tier) const {
    return [asker = *asker_, post = post_, tier](uint64_t bytes) -> Result<SharedLandingRoom> {
      TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<LandingRoom> room,
                             asker.Ask([&] { return tier->TakeRoom(bytes); }, kPatience));
      return SharedLandingRoom(
          new std::unique_ptr<LandingRoom>(std::move(room)), [post](auto* owned) {
            post([room = std::shared_ptr<std::unique_ptr<LandingRoom>>(owned)] {});
          });
    };
  }

  const FetchFiles fetch_;
  const PostToLoop post_;
  const std::optional<LoopAsker> asker_;
  CancelToken cancel_;
  WhileAlive alive_;
  const std::unique_ptr<JobQueue> jobs_;  // the first to go: what is in it gives up
};

}  // namespace

Result<std::unique_ptr<SourceFetcher>> MakeSourceFetcher(FetchFiles fetch, int threads,
                                                         PostToLoop post,
                                                         std::optional<LoopAsker> asker) {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<JobQueue> jobs, JobQueue::Start(threads));
  return std::unique_ptr<SourceFetcher>(std::make_unique<ThreadedFetcher>(
      std::move(fetch), std::move(jobs), std::move(post), std::move(asker)));
}

}  // namespace trims
