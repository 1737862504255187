// Room: admission by exact size, eviction, freeing.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

std::string Bytes(uint64_t count) { return std::to_string(count) + " bytes"; }

bool MayGo(const Segment& segment) {
  return segment.state() == SegmentState::kResident && segment.leases() == 0;
}

}  // namespace

RoomUse SegmentTable::Use() const {
  RoomUse use;
  for (const auto& [id, segment] : segments_) {
    switch (segment->state()) {
      case SegmentState::kReserved:
        use.waiting += segment->footprint();
        break;
      case SegmentState::kLoading:
        use.loading += segment->footprint();
        break;
      case SegmentState::kResident:
        (segment->leases() > 0 ? use.leased : use.idle) += segment->footprint();
        break;
      case SegmentState::kDraining:
        use.draining += segment->footprint();
        break;
      case SegmentState::kAbsent:
      case SegmentState::kFailed:
        break;
    }
  }
  return use;
}

Status SegmentTable::Admit(Segment* segment, ImagePtr image, PreparedStore::Pin pin) {
  if (segment->footprint() > budget().limit()) {
    return Status(StatusCode::kTooLarge,
                  "model '" + image->reference + "' (" + std::string(VariantName(image->kind)) +
                      ") takes " + Bytes(segment->footprint()) + ", the budget of tier '" +
                      std::string(tier_name()) + "' is " + Bytes(budget().limit()),
                  budget().HowToRaise());
  }
  const uint64_t shortage = room_queue_.Shortage(segment->footprint(), Use().draining);
  if (shortage > 0) TRIMS_RETURN_IF_ERROR(Evict(shortage, *segment));
  segment->Reserve(std::move(image), std::move(pin));
  room_queue_.Push(segment->id(), segment->footprint());
  return {};
}

std::vector<Victim> SegmentTable::Victims(uint64_t needed) const {
  std::vector<EvictionCandidate> candidates;
  for (const auto& [id, segment] : segments_) {
    if (!MayGo(*segment)) continue;
    candidates.push_back({.segment = id,
                          .bytes = segment->footprint(),
                          .resident_since = segment->resident_since(),
                          .last_used = segment->last_used(),
                          .opens = segment->opens(),
                          .load_time = segment->load_time(),
                          .age_at_last_use = segment->age_at_last_use(),
                          .history = histories_.Of(segment->key())});
  }
  return ChooseVictims(*dependencies_.eviction, candidates, needed,
                       {.now = dependencies_.clock->Now(), .age = age_});
}

// All or nothing: a policy that names too little, or what is no candidate, evicts nothing.
Status SegmentTable::Evict(uint64_t needed, const Segment& whom_for) {
  const std::vector<Victim> victims = Victims(needed);
  uint64_t freed = 0;
  for (const Victim& chosen : victims) {
    const Segment* victim = FindById(chosen.segment);
    if (victim == nullptr || !MayGo(*victim)) return NoRoom(whom_for);
    freed += victim->footprint();
  }
  if (freed < needed) return NoRoom(whom_for);
  for (const Victim& chosen : victims) {
    Segment* victim = FindById(chosen.segment);
    age_ = std::max(age_, chosen.rank);
    histories_.Remember(
        victim->key(),
        {.opens = victim->opens(), .evictions = 1, .last_used = victim->last_used()});
    ++counters_->evictions;
    counters_->bytes_evicted += victim->footprint();
    LogInfo("segment.evicted", {{"model", victim->image().reference},
                                {"variant", VariantName(victim->image().kind)},
                                {"tier", tier_name()},
                                {"bytes", victim->footprint()},
                                {"for", whom_for.image().reference}});
    Drain(victim);
  }
  return {};
}

Status SegmentTable::NoRoom(const Segment& segment) const {
  const RoomUse use = Use();
  std::string message = "no room for model '" + segment.image().reference + "' (" +
                        std::string(VariantName(segment.image().kind)) + ") in tier '" +
                        std::string(tier_name()) + "': it takes " + Bytes(segment.footprint()) +
                        " of " + Bytes(budget().limit()) + "; " + Bytes(use.leased) +
                        " are in use by " + std::to_string(leases_) + " leases, " +
                        Bytes(use.loading + use.waiting) + " by loads on their way, " +
                        Bytes(use.draining) + " are being freed";
  if (use.idle > 0) {
    message += ", " + Bytes(use.idle) + " are idle, of which policy '" +
               std::string(dependencies_.eviction->name) + "' gives up too little";
  }
  return Status(
      StatusCode::kResourceExhausted, message,
      "close models that are in use (trims status shows them), or " + budget().HowToRaise());
}

void SegmentTable::Drain(Segment* segment) {
  tier_->Release(segment->BeginDrain(), IfAlive([this, id = segment->id()] { Drained(id); }));
}

void SegmentTable::Drained(uint64_t id) {
  const Waiters::Turn turn(&waiters_);
  Segment* segment = FindById(id);
  segment->EndDrain();
  FillRoom();
  if (WaitersOf(*segment) == 0) return Forget(segment);
  // Opened while it was being freed: it comes back, behind those who waited for its room.
  const Status status = Admit(segment, segment->image_ptr(), segment->TakePin());
  if (status.ok()) return FillRoom();
  waiters_.Fail(id, status);
  Forget(segment);
}

void SegmentTable::FillRoom() {
  while (std::optional<RoomQueue::Grant> grant = room_queue_.Next()) {
    StartFill(FindById(grant->segment), std::move(grant->room));
  }
}

}  // namespace trims
