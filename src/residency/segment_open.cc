// Opening: hits, misses, and the end of leases.
#include <utility>

#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
Result<OpenOutcome> SegmentTable::Open(const ImagePtr& image, std::chrono::milliseconds deadline,
                                       OpenCallback done) {
  if (deadline.count() <= 0) deadline = options_.default_deadline;
  Answered answered = Answered::kHit;
  Result<OpenOutcome> outcome =
      AcquireImage(image, deadline, std::move(done), Asker::kClient, &answered);
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

Result<OpenOutcome> SegmentTable::AcquireImage(const ImagePtr& image,
                                               std::chrono::milliseconds deadline,
                                               OpenCallback done, Asker asker, Answered* answered) {
  if (!image->parts.empty()) return AcquireParts(image, deadline, std::move(done), asker, answered);
  Segment* segment = FindOrMake(image);
  segment->set_removed(false);
  // Whoever opens it here wants it here, though a device has it.
  const bool wanted_here =
      asker == Asker::kClient && segment->why_leaving() == Leaving::kCopiedAbove;
  if (asker == Asker::kOperator || wanted_here) segment->set_leaving(Leaving::kNo);
  return Acquire(segment, image, deadline, std::move(done), asker, answered);
}

Result<OpenOutcome> SegmentTable::OpenForAbove(const Segment& above, OpenCallback done) {
  const ImagePtr& from = above.image().from;
  return AcquireFor(above, from != nullptr ? from : above.image_ptr(), std::move(done));
}

Result<OpenOutcome> SegmentTable::OpenForPeer(const Segment& peers, OpenCallback done) {
  return AcquireFor(peers, peers.image_ptr(), std::move(done));
}

// That a piece's model is gone says nothing of its parts, which others may have.
Result<OpenOutcome> SegmentTable::AcquireFor(const Segment& above, const ImagePtr& image,
                                             OpenCallback done) {
  Answered answered = Answered::kHit;
  if (!image->parts.empty()) {
    return AcquireParts(image, kNoDeadline, std::move(done), Asker::kTierAbove, &answered);
  }
  const bool is_new = !by_key_.contains(image->key);
  Segment* segment = FindOrMake(image);
  if (is_new || image->key == above.key()) segment->set_removed(above.removed());
  return Acquire(segment, image, kNoDeadline, std::move(done), Asker::kTierAbove, &answered);
}

Result<OpenOutcome> SegmentTable::Acquire(Segment* segment, const ImagePtr& image,
                                          std::chrono::milliseconds deadline, OpenCallback done,
                                          Asker asker, Answered* answered) {
  if (asker == Asker::kClient) TRIMS_RETURN_IF_ERROR(CheckQuota(*segment, *image));
  if (segment->state() == SegmentState::kResident) {
    *answered = Answered::kHit;
    return OpenOutcome(Grant(segment, image, {.hit = true}));
  }
  const bool joins = Comes(segment->state()) || WaitersOf(*segment) > 0;
  if (!joins) TRIMS_RETURN_IF_ERROR(StartMiss(segment, image, asker));
  *answered = joins ? Answered::kJoined : Answered::kMiss;
  Charge charge = asker == Asker::kClient ? ledger_.ChargeLease(image->reference) : Charge();
  const uint64_t waiter =
      waiters_.Add(segment->id(), image, deadline, std::move(done), std::move(charge));
  FillRoom();
  return OpenOutcome(OpenWait(this, waiter, deadline, joins));
}

// One that was made for this open goes with it.
Status SegmentTable::CheckQuota(const Segment& segment, const Image& image) {
  const Status status = ledger_.CheckLease(image.reference);
  CountIfQuota(status, image);
  if (!status.ok() && segment.state() == SegmentState::kAbsent) Forget(FindById(segment.id()));
  return status;
}

void SegmentTable::CountIfQuota(const Status& status, const Image& image) {
  if (status.code() == StatusCode::kQuotaExceeded) ledger_.CountRefused(image.reference);
}

// On failure the segment is as it was, or gone if it was new.
Status SegmentTable::StartMiss(Segment* segment, const ImagePtr& image, Asker asker) {
  Status status = BackingOff(*segment, image);
  if (status.ok() && asker != Asker::kOperator && image->slices.empty()) {
    status = ledger_.CheckLoad(image->reference, segment->footprint(), dependencies_.clock->Now());
  }
  if (status.ok()) {
    // One that is being freed is admitted when it is gone.
    if (segment->state() == SegmentState::kDraining) {
      segment->WantAgain(image, PinOf(*image));
      return Status();
    }
    status = Admit(segment, image, PinOf(*image));
  }
  CountIfQuota(status, *image);
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
  Charge charge = ledger_.ChargeLease(image->reference);
  return Lease(this, segment, std::move(image), std::move(charge), opened);
}

void SegmentTable::EndLease(Segment* segment, std::shared_ptr<const Holder> holder, bool counted) {
  if (counted) --leases_;
  if (when_quiet_) TellWhenQuiet();
  if (segment->EndLease(dependencies_.clock->Now(), std::move(holder)) > 0) return;
  if (Stays(*segment)) {
    Reconsider(*segment);
    LetGoWhenDue(*segment);
    if (budget().used() > budget().limit()) Shrink();
    return;
  }
  const Waiters::Turn turn(&waiters_);
  LetGo(segment);
}

void SegmentTable::ServeWaiters(Segment* segment) {
  waiters_.Serve(segment->id(), [&](ImagePtr image, HowOpened opened) {
    return Grant(segment, std::move(image), opened);
  });
}

}  // namespace trims
