// Room: admission by exact size, freeing, and who waits for it.
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "residency/room_texts.h"
#include "residency/segment_table.h"

namespace trims {
RoomUse SegmentTable::Use() const {
  RoomUse use;
  use.loading = landing_bytes_;
  for (const auto& [id, segment] : segments_) {
    switch (segment->state()) {
      case SegmentState::kReserved:
        use.waiting += segment->footprint();
        break;
      case SegmentState::kLoading:
        use.loading += segment->footprint();
        break;
      case SegmentState::kResident:
        if (segment->leases() > 0) use.leased += segment->footprint();
        if (segment->pinned() || segment->held_for_above()) use.pinned += segment->footprint();
        if (segment->MayGo()) use.idle += segment->footprint();
        break;
      case SegmentState::kDraining:
        use.draining += segment->footprint();
        break;
      case SegmentState::kAbsent:
      case SegmentState::kFailed:
        break;
    }
  }
  for (const auto& [drain, lingering] : lingering_) use.lingering += lingering.room.bytes();
  return use;
}

Status SegmentTable::Admit(Segment* segment, ImagePtr image, PreparedStore::Pin pin) {
  TRIMS_ASSIGN_OR_RETURN(const Leavers leavers, ChooseLeavers(*image));
  for (const Victim& victim : leavers.over_quota) {
    EvictIfItMay(victim, "quota", image->reference);
  }
  segment->mutable_use()->admitted = true;
  if (!leavers.for_room.empty()) Evict(leavers.for_room, segment);
  const TimePoint now = dependencies_.clock->Now();
  // Of a model in pieces that of its index is the load, and the others are a part of it.
  segment->SetCharge(image->slices.empty()
                         ? ledger_.ChargeLoad(image->reference, segment->footprint(), now)
                         : ledger_.ChargeBytes(image->reference, segment->footprint()));
  segment->Reserve(std::move(image), std::move(pin), now);
  segment->set_load(++last_load_);
  if (IsCutAnew(segment->image())) segment->set_leaving(Leaving::kCutAnew);
  room_queue_.Push(segment->id(), segment->footprint());
  return {};
}

void SegmentTable::Reconsider(const Segment& segment) {
  if (segment.MayGo()) {
    evictor_.Offer(segment.use());
  } else {
    evictor_.Withdraw(segment.id());
  }
}

Status SegmentTable::TooLarge(const Image& image) const { return TooLargeFor(NeedOf(image)); }

Status SegmentTable::NoRoom(const Image& image) const {
  return NoRoomFor(NeedOf(image), {.use = Use(),
                                   .used = budget().used(),
                                   .leases = leases_,
                                   .policy = policy().eviction->name,
                                   .churn_guard = options_.churn_guard,
                                   .has_quotas = ledger_.limits(),
                                   .segments = All(),
                                   .lingering = AllLingering()});
}

RoomNeed SegmentTable::NeedOf(const Image& image) const {
  return {.reference = image.reference,
          .kind = image.kind,
          .tier = std::string(tier_name()),
          .bytes = FootprintOf(image),
          .limit = budget().limit(),
          .how_to_raise = budget().HowToRaise()};
}

uint64_t SegmentTable::Drain(Segment* segment, bool evicted) {
  evictor_.Left(segment->key(), segment->use(), evicted);
  // Ended last: what goes beneath then, and whom that tells, must find this one draining.
  const auto hold = copy_holds_.extract(segment->id());
  draining_bytes_ += segment->footprint();
  const uint64_t drain = ++last_drain_;
  draining_[drain].segment = segment->id();
  tier_->Release(segment->BeginDrain(),
                 {.freed = IfAlive([this, drain] { Freed(drain); }),
                  .kept = IfAlive([this, drain](std::vector<MemoryId> memory) {
                    Kept(drain, std::move(memory));
                  })});
  return drain;
}

// Its bytes are gone, or are nobody's but those who keep them.
void SegmentTable::EndDrain(Segment* segment) {
  if (WaitersOf(*segment) == 0) return Forget(segment);
  // Opened while it was being freed: it comes back, behind those who waited for its room.
  const Status status = Admit(segment, segment->image_ptr(), segment->TakePin());
  if (status.ok()) return FillRoom();
  CountIfQuota(status, segment->image());
  waiters_.Fail(segment->id(), status);
  Forget(segment);
}

// After room that was promised turned out not to come: others go for it, or else those who wait for it are refused,
// whoever came last first.
void SegmentTable::KeepPromises() {
  for (;;) {
    const std::optional<uint64_t> last = room_queue_.Last();
    const uint64_t shortage = room_queue_.Shortage(0, draining_bytes_);
    if (!last || shortage == 0) return;
    Segment* segment = FindById(*last);
    const Result<std::vector<Victim>> victims = ChooseForRoom(shortage, segment->image());
    if (victims.ok()) {
      Evict(*victims, segment);
    } else {
      Refuse(segment, victims.status());
    }
  }
}

void SegmentTable::Refuse(Segment* segment, const Status& why) {
  LogWarning("segment.refused", {{"model", segment->image().reference},
                                 {"variant", VariantName(segment->image().kind)},
                                 {"tier", tier_name()},
                                 {"error", why}});
  room_queue_.Erase(segment->id());
  segment->Fail();
  waiters_.Fail(segment->id(), why);
  Forget(segment);
}

void SegmentTable::FillRoom() {
  while (std::optional<RoomQueue::Grant> grant = room_queue_.Next()) {
    StartFill(FindById(grant->segment), std::move(grant->room));
  }
}

}  // namespace trims
