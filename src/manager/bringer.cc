#include "manager/bringer.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace trims {
namespace {

constexpr std::chrono::milliseconds kTellLoadEvery{200};

}  // namespace

void LogNotBrought(std::string_view why, const std::string& model, const Status& status) {
  LogWarning("model.not_brought", {{"for", why}, {"model", model}, {"error", status}});
}

// What is dropped may end leases, which may go on with others' opens: those are not this one's.
Bringer::~Bringer() {
  const auto jobs = std::exchange(jobs_, {});
  for (const auto& [id, job] : jobs) timers_->Cancel(job.timer);
}

void Bringer::Bring(SegmentTable* tier, std::vector<ImagePtr> images, Preparer::Progress progress,
                    Done done) {
  const uint64_t id = ++last_;
  jobs_.emplace(id, Job{.tier = tier,
                        .images = std::move(images),
                        .progress = std::move(progress),
                        .done = std::move(done),
                        .leases = {},
                        .wait = {}});
  BringNext(id);
}

void Bringer::BringNext(uint64_t id) {
  for (;;) {
    Job& job = jobs_.at(id);
    if (job.leases.size() == job.images.size()) return End(id, {});
    // No wait outlives the job, and none calls back after it.
    Result<OpenOutcome> outcome =
        job.tier->Prefetch(job.images[job.leases.size()],
                           [this, id](Result<Lease> lease) { Answered(id, std::move(lease)); });
    if (!outcome.ok()) return End(id, outcome.status());
    if (Lease* lease = std::get_if<Lease>(&*outcome)) {
      job.leases.push_back(std::move(*lease));
      continue;
    }
    job.wait = std::get<OpenWait>(*std::move(outcome));
    if (job.progress) Tell(id);
    return;
  }
}

void Bringer::Answered(uint64_t id, Result<Lease> lease) {
  Job& job = jobs_.at(id);
  timers_->Cancel(std::exchange(job.timer, 0));
  job.wait.reset();
  if (!lease.ok()) return End(id, lease.status());
  job.leases.push_back(*std::move(lease));
  BringNext(id);
}

void Bringer::End(uint64_t id, const Status& why) {
  Job job = std::move(jobs_.extract(id).mapped());
  timers_->Cancel(job.timer);
  if (!why.ok()) return job.done(why);
  job.done(std::move(job.leases));
}

void Bringer::Tell(uint64_t id) {
  Job& job = jobs_.at(id);
  if (const std::optional<LoadProgress> load = job.wait->progress()) {
    job.progress(load->tier, load->bytes_done, load->bytes_total);
  }
  job.timer = timers_->CallAfter(kTellLoadEvery, [this, id] { Tell(id); });
}

}  // namespace trims
