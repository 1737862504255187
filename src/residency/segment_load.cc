// Loading: starting, ending and failing of loads.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

constexpr std::chrono::milliseconds kFirstBackOff{100};
constexpr int kMaxDoublings = 20;

// None after the first failure, so that a chance one costs nothing; then doubling.
Duration BackOff(int failures_in_a_row, std::chrono::milliseconds most) {
  if (failures_in_a_row < 2) return Duration::zero();
  const int doublings = std::min(failures_in_a_row - 2, kMaxDoublings);
  return std::min<Duration>(kFirstBackOff * (int64_t{1} << doublings), most);
}

}  // namespace

void SegmentTable::StartLoad(Segment* segment, Reservation room) {
  Step(segment, SegmentState::kLoading);
  segment->room = std::move(room);
  segment->cancel = std::make_shared<FillControl>(segment->footprint);
  dependencies_.loader->Load(
      segment->plan, segment->cancel,
      [this, alive = std::weak_ptr<bool>(alive_), id = segment->id](Result<ResidentBytes> result) {
        if (!alive.expired()) Loaded(id, std::move(result));
      });
}

void SegmentTable::Loaded(uint64_t id, Result<ResidentBytes> result) {
  Entry entry(this);
  Segment* segment = FindById(id);
  segment->cancel.reset();
  if (result.ok()) {
    ++counters_->loads;
    counters_->bytes_loaded += segment->footprint;
    LogInfo("segment.resident", {{"model", segment->reference},
                                 {"variant", VariantName(segment->kind)},
                                 {"bytes", segment->footprint}});
    Step(segment, SegmentState::kResident);
    segment->bytes = *std::move(result);
    segment->failure = {};
    segment->last_used = dependencies_.clock->Now();
    const bool wanted = !segment->waiters.empty();
    ServeWaiters(segment);
    // Nobody holds it: as if its last lease had just ended.
    if (!wanted && (segment->removed || options_.reclaim == Reclaim::kEager)) {
      ++counters_->reclaimed;
      Drain(segment);
    }
  } else {
    LoadFailed(segment, result.status());
  }
  if (on_load_end_) on_load_end_();
}

void SegmentTable::LoadFailed(Segment* segment, const Status& why) {
  Step(segment, SegmentState::kFailed);
  segment->room.Release();
  FillRoom();
  const bool cancelled = why.code() == StatusCode::kCancelled;
  if (!cancelled) RememberFailure(segment, why);
  // Cancelled because nobody wanted it, then opened again before the loader noticed: start anew.
  Status status = cancelled && !segment->waiters.empty() ? Admit(segment) : why;
  if (status.ok()) return FillRoom();
  FailWaiters(segment, status);
  if (cancelled || segment->removed) Forget(segment);
}

void SegmentTable::RememberFailure(Segment* segment, const Status& why) {
  ++counters_->load_failures;
  LoadFailure& failure = segment->failure;
  failure.error = why;
  failure.retry_at =
      dependencies_.clock->Now() + BackOff(++failure.in_a_row, options_.max_back_off);
  LogWarning("segment.load_failed", {{"model", segment->reference},
                                     {"variant", VariantName(segment->kind)},
                                     {"failures", failure.in_a_row},
                                     {"error", why}});
}

}  // namespace trims
