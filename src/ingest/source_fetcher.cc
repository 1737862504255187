#include "ingest/source_fetcher.h"

#include <optional>
#include <utility>

#include "base/macros.h"
#include "ingest/progress_to_loop.h"
#include "loop/job_queue.h"
#include "loop/while_alive.h"

namespace trims {
namespace {

class ThreadedFetcher final : public SourceFetcher {
 public:
  ThreadedFetcher(FetchFiles fetch, std::unique_ptr<JobQueue> jobs, PostToLoop post)
      : fetch_(std::move(fetch)), post_(std::move(post)), jobs_(std::move(jobs)) {}
  ~ThreadedFetcher() override { cancel_.Cancel(); }

  void Fetch(FetchJob job, Preparer::Progress progress,
             std::function<void(Result<SourceUri>)> done) override {
    const StageProgress told =
        ProgressToLoop(post_, alive_.Only([progress = std::move(progress)](
                                              std::string_view stage, uint64_t at, uint64_t total) {
          if (progress) progress(stage, at, total);
        }));
    FetchCalls calls{
        .progress = [told](uint64_t at, uint64_t total) { told("download", at, total); },
        .cancel = &cancel_};
    // What `done` holds ends on the loop: this thread lets go of it before the loop may run it.
    jobs_->Push([this, job = std::move(job), calls = std::move(calls),
                 done = std::optional(alive_.Only(std::move(done)))]() mutable {
      Result<SourceUri> fetched = fetch_(job, calls);
      post_([done = std::exchange(done, std::nullopt), fetched = std::move(fetched)] {
        (*done)(fetched);
      });
    });
  }

 private:
  const FetchFiles fetch_;
  const PostToLoop post_;
  CancelToken cancel_;
  WhileAlive alive_;
  const std::unique_ptr<JobQueue> jobs_;  // the first to go: what is in it gives up
};

}  // namespace

Result<std::unique_ptr<SourceFetcher>> MakeSourceFetcher(FetchFiles fetch, int threads,
                                                         PostToLoop post) {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<JobQueue> jobs, JobQueue::Start(threads));
  return std::unique_ptr<SourceFetcher>(
      std::make_unique<ThreadedFetcher>(std::move(fetch), std::move(jobs), std::move(post)));
}

}  // namespace trims
