// Opening: hits, misses, and the end of leases.
#include <utility>

#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

OpenInfo InfoOf(const Image& image, std::string_view tier) {
  OpenInfo info;
  info.reference = image.reference;
  info.digest = image.digest;
  info.variant = image.kind;
  info.variant_key = image.variant_key;
  info.tier = tier;
  return info;
}

}  // namespace

Result<OpenOutcome> SegmentTable::Open(const ImagePtr& image, const OpenParams& params,
                                       OpenCallback done) {
  Segment* segment = FindOrMake(image);
  segment->set_removed(false);
  if (segment->state() == SegmentState::kResident) {
    ++counters_->hits;
    OpenInfo info = InfoOf(*image, tier_name());
    info.hit = true;
    return OpenOutcome(Grant(segment, std::move(info)));
  }
  const bool joins = segment->state() == SegmentState::kReserved ||
                     segment->state() == SegmentState::kLoading || WaitersOf(*segment) > 0;
  if (!joins) TRIMS_RETURN_IF_ERROR(StartMiss(segment, image));
  ++(joins ? counters_->joined : counters_->misses);
  const auto deadline = params.deadline.count() > 0 ? params.deadline : options_.default_deadline;
  const uint64_t waiter =
      waiters_.Add(segment->id(), InfoOf(*image, tier_name()), deadline, std::move(done));
  FillRoom();
  return OpenOutcome(OpenWait(this, waiter, deadline));
}

// On failure the segment is as it was, or gone if it was new.
Status SegmentTable::StartMiss(Segment* segment, const ImagePtr& image) {
  Status status = BackingOff(*segment);
  if (status.ok()) {
    // One that is being freed is admitted when it is gone.
    if (segment->state() == SegmentState::kDraining) {
      return segment->WantAgain(image, PinOf(*image)), Status();
    }
    status = Admit(segment, image, PinOf(*image));
  }
  if (!status.ok() && segment->state() == SegmentState::kAbsent) Forget(segment);
  return status;
}

Status SegmentTable::BackingOff(const Segment& segment) const {
  const LoadFailure& failure = segment.failure();
  const Duration left = failure.retry_at - dependencies_.clock->Now();
  if (failure.in_a_row == 0 || left <= Duration::zero()) return {};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return Status(failure.error.code(),
                failure.error.message() + " (failed " + std::to_string(failure.in_a_row) +
                    " times in a row; tried again in " + std::to_string(milliseconds) +
                    " ms at the earliest)",
                failure.error.hint());
}

Lease SegmentTable::Grant(Segment* segment, OpenInfo info) {
  ++leases_;
  segment->AddLease(age_);
  const std::vector<Handle>& extents = segment->bytes().extents;
  if (!extents.empty()) info.pages = extents.front().pages;
  return Lease(this, segment, std::move(info));
}

void SegmentTable::EndLease(Segment* segment) {
  --leases_;
  if (segment->EndLease(dependencies_.clock->Now()) > 0) return;
  if (!segment->removed() && options_.reclaim == Reclaim::kLazy) return;
  const Waiters::Turn turn(&waiters_);
  ++counters_->reclaimed;
  Drain(segment);
}

void SegmentTable::ServeWaiters(Segment* segment) {
  waiters_.Serve(segment->id(), [&](OpenInfo info) { return Grant(segment, std::move(info)); });
}

}  // namespace trims
