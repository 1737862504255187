// Opening: hits, misses, and the end of leases.
#include <utility>

#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
Result<OpenOutcome> SegmentTable::Open(const ImagePtr& image, std::chrono::milliseconds deadline,
                                       OpenCallback done) {
  Segment* segment = FindOrMake(image);
  segment->set_removed(false);
  if (deadline.count() <= 0) deadline = options_.default_deadline;
  Answered answered = Answered::kHit;
  Result<OpenOutcome> outcome = Acquire(segment, image, deadline, std::move(done), &answered);
  if (!outcome.ok()) return outcome;
  switch (answered) {
    case Answered::kHit:
      ++counters_->hits;
      break;
    case Answered::kJoined:
      ++counters_->joined;
      break;
    case Answered::kMiss:
      ++counters_->misses;
      break;
  }
  return outcome;
}

Result<OpenOutcome> SegmentTable::OpenForAbove(const Segment& above, OpenCallback done) {
  Segment* segment = FindOrMake(above.image_ptr());
  segment->set_removed(above.removed());
  Answered answered = Answered::kHit;
  return Acquire(segment, above.image_ptr(), kNoDeadline, std::move(done), &answered);
}

Result<OpenOutcome> SegmentTable::Acquire(Segment* segment, const ImagePtr& image,
                                          std::chrono::milliseconds deadline, OpenCallback done,
                                          Answered* answered) {
  if (segment->state() == SegmentState::kResident) {
    *answered = Answered::kHit;
    return OpenOutcome(Grant(segment, image, {.hit = true}));
  }
  const bool joins = segment->state() == SegmentState::kReserved ||
                     segment->state() == SegmentState::kLoading || WaitersOf(*segment) > 0;
  if (!joins) TRIMS_RETURN_IF_ERROR(StartMiss(segment, image));
  *answered = joins ? Answered::kJoined : Answered::kMiss;
  const uint64_t waiter = waiters_.Add(segment->id(), image, deadline, std::move(done));
  FillRoom();
  return OpenOutcome(OpenWait(this, waiter, deadline, joins));
}

// On failure the segment is as it was, or gone if it was new.
Status SegmentTable::StartMiss(Segment* segment, const ImagePtr& image) {
  Status status = BackingOff(*segment, image);
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

Status SegmentTable::BackingOff(const Segment& segment, const ImagePtr& image) const {
  const LoadFailure& failure = segment.failure();
  if (!failure.images.contains(image)) return {};
  const Duration left = failure.retry_at - dependencies_.clock->Now();
  if (failure.in_a_row == 0 || left <= Duration::zero()) return {};
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return Status(failure.error.code(),
                failure.error.message() + " (failed " + std::to_string(failure.in_a_row) +
                    " times in a row; tried again in " + std::to_string(milliseconds) +
                    " ms at the earliest)",
                failure.error.hint());
}

Lease SegmentTable::Grant(Segment* segment, ImagePtr image, HowOpened opened) {
  ++leases_;
  segment->AddLease();
  evictor_.Opened(segment->mutable_use());
  Reconsider(*segment);
  return Lease(this, segment, std::move(image), opened);
}

void SegmentTable::EndLease(Segment* segment) {
  --leases_;
  if (when_quiet_) TellWhenQuiet();
  if (segment->EndLease(dependencies_.clock->Now()) > 0) return;
  if (Stays(*segment)) return Reconsider(*segment);
  const Waiters::Turn turn(&waiters_);
  Reclaim(segment);
}

void SegmentTable::ServeWaiters(Segment* segment) {
  waiters_.Serve(segment->id(), [&](ImagePtr image, HowOpened opened) {
    return Grant(segment, std::move(image), opened);
  });
}

}  // namespace trims
