// Filling: from the files or from the tier beneath, how far that is, and how it ends.
#include <algorithm>
#include <utility>

#include "base/byte_rate.h"
#include "base/log.h"
#include "residency/segment_table.h"

namespace trims {
void SegmentTable::StartFill(Segment* segment, Reservation room) {
  segment->BeginFill(std::move(room), dependencies_.clock->Now());
  Tell(*segment, {.kind = EventKind::kSegmentLoading, .load = segment->load()});
  if (dependencies_.beneath == nullptr) return Fill(segment->id(), {});
  if (!FillFromPeer(segment)) FillFromBeneath(segment);
}

// What is on its way there is followed, where that can be; otherwise this fill begins when that one is done.
void SegmentTable::FillFromBeneath(Segment* segment) {
  const uint64_t id = segment->id();
  Result<OpenOutcome> outcome = dependencies_.beneath->OpenForAbove(
      *segment, IfAlive([this, id](Result<Lease> lease) { CameBeneath(id, std::move(lease)); }));
  if (!outcome.ok()) return FailLater(id, outcome.status());
  Beneath& beneath = beneath_[id];
  if (Lease* lease = std::get_if<Lease>(&*outcome)) return CameBeneath(id, std::move(*lease));
  beneath.wait = std::get<OpenWait>(*std::move(outcome));
  beneath.load = beneath.wait->load();
  std::shared_ptr<FillControl> follow = dependencies_.beneath->FillToFollow(*segment);
  if (follow == nullptr) return;
  beneath.followed = true;
  Fill(id, {.follow = std::move(follow)});
}

std::shared_ptr<FillControl> SegmentTable::FillToFollow(const Segment& above) const {
  const Image& image = above.image();
  const bool index_alone = image.from != nullptr && image.slices.empty();
  const ImagePtr& wanted = image.from != nullptr ? image.from : above.image_ptr();
  const Segment* segment = FindByKey(wanted->key);
  const bool can = segment != nullptr && tier_->feeds() && segment->image_ptr() == wanted;
  return can && !index_alone ? segment->control() : nullptr;
}

// The lease keeps the bytes beneath until this segment has them too. A fill that follows finds out itself how
// the one beneath ended.
void SegmentTable::CameBeneath(uint64_t id, Result<Lease> lease) {
  const auto found = beneath_.find(id);
  if (found == beneath_.end()) return;
  Beneath& beneath = found->second;
  beneath.wait.reset();
  const Status status = lease.status();
  if (status.ok()) {
    beneath.load = lease->load();
    beneath.lease.emplace(*std::move(lease));
  }
  if (beneath.followed) return;
  if (!status.ok()) return Filled(id, status);
  FillRequest request{.beneath = beneath.lease->shared_bytes()};
  for (const Lease& other : beneath.lease->borrowed()) {
    request.others.push_back(other.shared_bytes());
  }
  Fill(id, std::move(request));
}

// Whoever opened this segment is still being told that it has to wait.
void SegmentTable::FailLater(uint64_t id, const Status& why) {
  dependencies_.timers->CallAfter(Duration::zero(), IfAlive([this, id, why] { Filled(id, why); }));
}

void SegmentTable::Fill(uint64_t id, FillRequest request) {
  Segment* segment = FindById(id);
  segment->BytesBegin(dependencies_.clock->Now());
  request.image = segment->image_ptr();
  request.control = segment->control();
  tier_->Fill(std::move(request),
              IfAlive([this, id](Result<ResidentBytes> bytes) { Filled(id, std::move(bytes)); }));
}

// What waits for those beneath to be there is as far as they are.
LoadProgress SegmentTable::ProgressOf(const Segment& segment) const {
  if (const auto found = beneath_.find(segment.id());
      found != beneath_.end() && found->second.wait && !found->second.followed) {
    if (std::optional<LoadProgress> beneath = found->second.wait->progress()) {
      return *std::move(beneath);
    }
  }
  LoadProgress progress{.tier = std::string(tier_name()),
                        .bytes_total = segment.image().variant.ExtentBytes()};
  if (segment.control() == nullptr) return progress;
  progress.bytes_done = std::min(segment.control()->bytes_done(), progress.bytes_total);
  progress.bytes_per_second =
      BytesPerSecond(progress.bytes_done, dependencies_.clock->Now() - segment.bytes_began());
  progress.remaining =
      RemainingTime(progress.bytes_total - progress.bytes_done, progress.bytes_per_second);
  return progress;
}

std::optional<LoadProgress> SegmentTable::ProgressForWaiter(uint64_t waiter) const {
  const uint64_t id = waiters_.SegmentOf(waiter);
  if (const auto parts = gatherings_.find(id); parts != gatherings_.end()) {
    return ProgressOfParts(*parts->second.image);
  }
  const auto found = segments_.find(id);
  if (found == segments_.end()) return std::nullopt;
  return ProgressOf(*found->second);
}

uint64_t SegmentTable::LoadForWaiter(uint64_t waiter) const {
  const auto found = segments_.find(waiters_.SegmentOf(waiter));
  if (found == segments_.end()) return 0;
  const Segment& segment = *found->second;
  return segment.state() == SegmentState::kDraining ? 0 : segment.load();
}

void SegmentTable::CountFilled(const Segment& segment) {
  if (segment.taken_over()) {
    ++counters_->taken_over;
    counters_->bytes_taken_over += segment.footprint();
    return;
  }
  ++counters_->loads;
  counters_->bytes_loaded += segment.footprint();
  counters_->load_us += static_cast<uint64_t>(InMicroseconds(segment.load_time()).count());
}

Event SegmentTable::LoadTimes(const Segment& segment, TimePoint now) const {
  const auto beneath = beneath_.find(segment.id());
  const FillControl* control = segment.control().get();
  return {.took = InMicroseconds(now - segment.bytes_began()),
          .queued = InMicroseconds(segment.bytes_began() - segment.reserved_at()),
          .hashing = InMicroseconds(control == nullptr ? Duration::zero() : control->hashing()),
          .began_us = InMicroseconds(segment.reserved_at().time_since_epoch()).count(),
          .load = segment.load(),
          .beneath = beneath == beneath_.end() ? 0 : beneath->second.load,
          .beneath_under_way = beneath != beneath_.end() && beneath->second.wait.has_value()};
}

void SegmentTable::TellResident(const Segment& segment, Event times) const {
  times.kind = EventKind::kSegmentResident;
  times.reason = segment.taken_over() ? "taken_over" : "";
  Tell(segment, std::move(times));
}

void SegmentTable::Filled(uint64_t id, Result<ResidentBytes> result) {
  const Waiters::Turn turn(&waiters_);
  Segment* segment = FindById(id);
  const TimePoint now = dependencies_.clock->Now();
  if (!result.ok() && TurnFromPeer(segment, result.status())) return;
  Event times = LoadTimes(*segment, now);
  if (result.ok()) HoldBeneath(*segment);
  beneath_.erase(id);
  if (!result.ok()) return FillFailed(segment, result.status(), std::move(times));
  retries_.erase(id);
  segment->Became(*std::move(result), now);
  CountFilled(*segment);
  evictor_.Entered(segment->key(), now, segment->load_time(), segment->mutable_use());
  LogInfo("segment.resident", {{"model", segment->image().reference},
                               {"variant", VariantName(segment->image().kind)},
                               {"tier", tier_name()},
                               {"bytes", segment->footprint()},
                               {"taken_over", segment->taken_over()}});
  TellResident(*segment, std::move(times));
  const bool wanted = WaitersOf(*segment) > 0;
  ServeWaiters(segment);
  DropBeneath(*segment);
  // Nobody holds it: as if its last lease had just ended.
  if (!wanted && !Stays(*segment)) {
    return LetGo(segment);
  }
  Reconsider(*segment);
  LetGoWhenDue(*segment);
  if (budget().used() > budget().limit()) Shrink();
}

void SegmentTable::TellFailed(const Segment& segment, const Status& why, Event times) const {
  times.kind = EventKind::kSegmentLoadFailed;
  times.error = why;
  Tell(segment, std::move(times));
}

void SegmentTable::FillFailed(Segment* segment, const Status& reason, Event times) {
  const bool out_of_memory = segment->control()->out_of_memory();
  segment->Fail();
  const bool tries_again = out_of_memory && MakeMemory(segment, reason);
  FillRoom();  // what it held may be what the first in the queue waits for
  if (tries_again) return TellFailed(*segment, reason, std::move(times));
  const Status why = out_of_memory ? OutOfMemory(*segment, reason) : reason;
  const uint64_t id = segment->id();
  retries_.erase(id);
  const bool cancelled = why.code() == StatusCode::kCancelled;
  if (cancelled && WaitersOf(*segment) > 0) {
    // Given up because nobody wanted it, then opened again before the loader noticed.
    return StartAnew(segment, segment->image_ptr(), segment->TakePin());
  }
  segment->TakePin();
  if (cancelled) {
    times.kind = EventKind::kSegmentLoadCancelled;
    Tell(*segment, std::move(times));
    return Forget(segment);
  }
  ++counters_->load_failures;
  segment->RememberFailure(why, dependencies_.clock->Now(), options_.max_back_off);
  LogWarning("segment.load_failed", {{"model", segment->image().reference},
                                     {"variant", VariantName(segment->image().kind)},
                                     {"tier", tier_name()},
                                     {"failures", segment->failure().in_a_row},
                                     {"error", why}});
  TellFailed(*segment, why, std::move(times));
  // Who waits for another name's files of equal content is not refused for these.
  if (const ImagePtr other = waiters_.FailThoseOf(id, segment->image_ptr(), why)) {
    return StartAnew(segment, other, PinOf(*other));
  }
  if (segment->removed()) Forget(segment);
}

void SegmentTable::StartAnew(Segment* segment, ImagePtr image, PreparedStore::Pin pin) {
  const Status status = Admit(segment, std::move(image), std::move(pin));
  if (status.ok()) return FillRoom();
  waiters_.Fail(segment->id(), status);
  Forget(segment);
}

}  // namespace trims
