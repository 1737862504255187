// Room: admission by exact size, eviction, freeing.
#include <algorithm>
#include <utility>

#include "base/bytes_text.h"
#include "base/log.h"
#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

// Whoever adds a reason to stay (a guaranteed share) adds it here, and calls Reconsider when it comes or
// goes.
bool MayGo(const Segment& segment) {
  return segment.state() == SegmentState::kResident && segment.leases() == 0 && !segment.pinned();
}

constexpr size_t kHoldersShown = 3;

std::string Holding(const Segment& segment) {
  std::string text = segment.image().reference + " (" + BytesText(segment.footprint());
  if (segment.leases() > 0) text += ", leases: " + std::to_string(segment.leases());
  if (segment.pinned()) text += ", pinned";
  return text + ")";
}

// Those that can't go, the largest first.
std::string LargestHolders(std::vector<const Segment*> segments) {
  std::erase_if(segments, [](const Segment* segment) {
    return segment->state() != SegmentState::kResident || MayGo(*segment);
  });
  std::stable_sort(segments.begin(), segments.end(), [](const Segment* a, const Segment* b) {
    return a->footprint() > b->footprint();
  });
  std::string text;
  for (size_t i = 0; i < std::min(segments.size(), kHoldersShown); ++i) {
    text += (text.empty() ? "; held: " : ", ") + Holding(*segments[i]);
  }
  if (segments.size() > kHoldersShown) text += ", …";
  return text;
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
        if (segment->leases() > 0) use.leased += segment->footprint();
        if (segment->pinned()) use.pinned += segment->footprint();
        if (MayGo(*segment)) use.idle += segment->footprint();
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
  TRIMS_ASSIGN_OR_RETURN(const std::vector<Victim> victims, ChooseVictims(*image));
  segment->mutable_use()->admitted = true;
  if (!victims.empty()) Evict(victims, segment);
  segment->Reserve(std::move(image), std::move(pin), dependencies_.clock->Now());
  room_queue_.Push(segment->id(), segment->footprint());
  return {};
}

Status SegmentTable::TooLarge(const Image& image) const {
  return Status(StatusCode::kTooLarge,
                "model '" + image.reference + "' (" + std::string(VariantName(image.kind)) +
                    ") takes " + BytesText(FootprintOf(image)) + ", the budget of tier '" +
                    std::string(tier_name()) + "' is " + BytesText(budget().limit()),
                budget().HowToRaise());
}

void SegmentTable::Reconsider(const Segment& segment) {
  if (MayGo(segment)) {
    evictor_.Offer(segment.use());
  } else {
    evictor_.Withdraw(segment.id());
  }
}

bool SegmentTable::Stays(const Segment& segment) const {
  return !segment.removed() && !segment.leaving() && (segment.pinned() || policy().Keeps());
}

void SegmentTable::SetPolicy(const TierPolicy& policy) {
  const Waiters::Turn turn(&waiters_);
  const TierPolicy before = evictor_.policy();
  evictor_.SetPolicy(policy);
  for (const auto& [id, segment] : segments_) {
    evictor_.TakeOver(before, segment->mutable_use());
    Reconsider(*segment);
  }
  if (!policy.Keeps()) ReclaimIdle();
}

void SegmentTable::ReclaimIdle() {
  for (const auto& [id, segment] : segments_) {
    if (!MayGo(*segment)) continue;
    Reclaim(segment.get());
  }
}

// All or nothing: a policy that names too little, or what is no candidate, evicts nothing.
Result<std::vector<Victim>> SegmentTable::ChooseVictims(const Image& image) const {
  const uint64_t footprint = FootprintOf(image);
  if (footprint > budget().limit()) return TooLarge(image);
  const uint64_t shortage = room_queue_.Shortage(footprint, draining_bytes_);
  if (shortage == 0) return std::vector<Victim>();
  std::vector<Victim> victims = evictor_.Choose(shortage);
  uint64_t freed = 0;
  for (const Victim& chosen : victims) {
    const auto victim = segments_.find(chosen.segment);
    if (victim == segments_.end() || !MayGo(*victim->second)) return NoRoom(image);
    freed += victim->second->footprint();
  }
  if (freed < shortage) return NoRoom(image);
  return victims;
}

void SegmentTable::Evict(const std::vector<Victim>& victims, Segment* whom_for) {
  std::vector<EvictionCandidate> uses;
  for (const Victim& chosen : victims) uses.push_back(FindById(chosen.segment)->use());
  whom_for->mutable_use()->admitted = evictor_.Admits(whom_for->key(), whom_for->footprint(), uses);
  for (const Victim& chosen : victims) {
    EvictOne(FindById(chosen.segment), chosen.rank, *whom_for);
  }
}

void SegmentTable::EvictOne(Segment* victim, double rank, const Segment& whom_for) {
  evictor_.Evicted(victim->use(), rank);
  ++counters_->evictions;
  counters_->bytes_evicted += victim->footprint();
  LogInfo("segment.evicted", {{"model", victim->image().reference},
                              {"variant", VariantName(victim->image().kind)},
                              {"tier", tier_name()},
                              {"bytes", victim->footprint()},
                              {"policy", policy().eviction->name},
                              {"for", whom_for.image().reference}});
  Tell(*victim, {.kind = EventKind::kSegmentEvicted,
                 .reason = "room",
                 .other = whom_for.image().reference,
                 .policy = policy().eviction->name,
                 .score = rank});
  Drain(victim, /*evicted=*/true);
}

void SegmentTable::EvictByOperator(Segment* segment) {
  ++counters_->evictions;
  counters_->bytes_evicted += segment->footprint();
  Tell(*segment, {.kind = EventKind::kSegmentEvicted, .reason = "operator"});
  Drain(segment, /*evicted=*/true);
}

void SegmentTable::Reclaim(Segment* segment) {
  const std::string_view reason = segment->removed()   ? "removed"
                                  : segment->leaving() ? "operator"
                                                       : "policy";
  ++counters_->reclaimed;
  Tell(*segment, {.kind = EventKind::kSegmentReclaimed, .reason = reason});
  Drain(segment);
}

Status SegmentTable::NoRoom(const Image& image) const {
  const RoomUse use = Use();
  std::string message =
      "no room for model '" + image.reference + "' (" + std::string(VariantName(image.kind)) +
      ") in tier '" + std::string(tier_name()) + "': it takes " + BytesText(FootprintOf(image)) +
      " of " + BytesText(budget().limit()) + "; " + BytesText(use.leased) + " are in use by " +
      std::to_string(leases_) + " leases, " + BytesText(use.loading + use.waiting) +
      " by loads on their way, " + BytesText(use.draining) + " are being freed";
  if (use.pinned > 0) message += ", " + BytesText(use.pinned) + " are pinned";
  if (use.idle > 0) {
    message += ", " + BytesText(use.idle) + " are idle, of which policy '" +
               std::string(policy().eviction->name) + "' gives up too little";
  }
  message += LargestHolders(All());
  const char* less = use.pinned > 0
                         ? "close models that are in use (trims status shows them), unpin some, or "
                         : "close models that are in use (trims status shows them), or ";
  return Status(StatusCode::kResourceExhausted, message, less + budget().HowToRaise());
}

void SegmentTable::Drain(Segment* segment, bool evicted) {
  evictor_.Left(segment->key(), segment->use(), evicted);
  draining_bytes_ += segment->footprint();
  tier_->Release(segment->BeginDrain(), IfAlive([this, id = segment->id()] { Drained(id); }));
}

void SegmentTable::Drained(uint64_t id) {
  const Waiters::Turn turn(&waiters_);
  Segment* segment = FindById(id);
  draining_bytes_ -= segment->footprint();
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
