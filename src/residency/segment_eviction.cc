// Eviction: who goes, for whom, and what is told of it.
#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

EvictionOrder::MayGo AllBut(const std::vector<Victim>& gone, EvictionOrder::MayGo may_go) {
  return [&gone, may_go = std::move(may_go)](uint64_t id) {
    const bool goes =
        std::ranges::any_of(gone, [id](const Victim& victim) { return victim.segment == id; });
    return !goes && (!may_go || may_go(id));
  };
}

}  // namespace

Result<SegmentTable::Leavers> SegmentTable::ChooseLeavers(const Image& image) const {
  const uint64_t footprint = FootprintOf(image);
  if (footprint > budget().limit()) return TooLarge(image);
  Leavers leavers;
  TRIMS_ASSIGN_OR_RETURN(leavers.over_quota, ChooseOverQuota(image));
  uint64_t freed = 0;
  for (const Victim& victim : leavers.over_quota) {
    freed += segments_.at(victim.segment)->footprint();
  }
  const uint64_t shortage = room_queue_.Shortage(footprint, draining_bytes_ + freed);
  if (shortage == 0) return leavers;
  TRIMS_ASSIGN_OR_RETURN(leavers.for_room, ChooseForRoom(shortage, image, leavers.over_quota));
  return leavers;
}

// What is beyond the bytes of its namespace goes first, of that namespace's own.
Result<std::vector<Victim>> SegmentTable::ChooseOverQuota(const Image& image) const {
  const uint64_t footprint = FootprintOf(image);
  const uint64_t excess = ledger_.Excess(image.reference, footprint);
  if (excess == 0) return std::vector<Victim>();
  const auto seen = ledger_.uses().find(NamespaceOf(image.reference));
  if (seen == ledger_.uses().end()) return ledger_.TooManyBytes(image.reference, footprint);
  const NamespaceUse* own = &seen->second;
  std::vector<Victim> victims = evictor_.Choose(excess, [this, own](uint64_t id) {
    const Segment& victim = *segments_.at(id);
    return victim.MayGo() && victim.charge().use() == own;
  });
  if (victims.empty()) return ledger_.TooManyBytes(image.reference, footprint);
  return victims;
}

// Who stays though nobody holds it: what was used moments ago, and the guaranteed bytes of other namespaces.
EvictionOrder::MayGo SegmentTable::Sparing(const Image& whom_for) const {
  const Duration guard = options_.churn_guard;
  if (guard <= Duration::zero() && !ledger_.limits()) return {};
  const auto own = ledger_.uses().find(NamespaceOf(whom_for.reference));
  const NamespaceUse* whose = own == ledger_.uses().end() ? nullptr : &own->second;
  auto resident = std::make_shared<std::map<const NamespaceUse*, uint64_t>>();
  return [this, guard, whose, resident, now = dependencies_.clock->Now()](uint64_t id) {
    const Segment* victim = segments_.at(id).get();
    if (UsedMomentsAgo(victim->last_used(), now, guard)) return false;
    const NamespaceUse* use = victim->charge().use();
    if (use == nullptr || use == whose) return true;
    uint64_t& left = resident->try_emplace(use, use->bytes).first->second;
    if (!LeavesGuaranteed(left, victim->footprint(), use->quota.guaranteed)) return false;
    left -= victim->footprint();
    return true;
  };
}

// All or nothing: a policy that names too little, or what is no candidate, evicts nothing.
Result<std::vector<Victim>> SegmentTable::ChooseForRoom(uint64_t shortage, const Image& image,
                                                        const std::vector<Victim>& gone) const {
  EvictionOrder::MayGo may_go = Sparing(image);
  if (!gone.empty()) may_go = AllBut(gone, std::move(may_go));
  std::vector<Victim> victims = evictor_.Choose(shortage, may_go);
  uint64_t freed = 0;
  for (const Victim& chosen : victims) {
    const auto victim = segments_.find(chosen.segment);
    if (victim == segments_.end() || !victim->second->MayGo()) return NoRoom(image);
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
    EvictIfItMay(chosen, "room", whom_for->image().reference);
  }
}

// One that went before may have had another of them go, or opened.
void SegmentTable::EvictIfItMay(const Victim& chosen, std::string_view reason,
                                std::string_view whom_for) {
  Segment* const victim = FindById(chosen.segment);
  if (victim != nullptr && victim->MayGo()) EvictOne(victim, chosen.rank, reason, whom_for);
}

uint64_t SegmentTable::EvictOne(Segment* victim, double rank, std::string_view reason,
                                std::string_view whom_for) {
  evictor_.Evicted(victim->use(), rank);
  ++counters_->evictions;
  counters_->bytes_evicted += victim->footprint();
  LogInfo("segment.evicted", {{"model", victim->image().reference},
                              {"variant", VariantName(victim->image().kind)},
                              {"tier", tier_name()},
                              {"bytes", victim->footprint()},
                              {"policy", policy().eviction->name},
                              {"reason", reason},
                              {"for", whom_for}});
  Tell(*victim, {.kind = EventKind::kSegmentEvicted,
                 .reason = reason,
                 .other = std::string(whom_for),
                 .policy = policy().eviction->name,
                 .score = rank});
  return Drain(victim, /*evicted=*/true);
}

void SegmentTable::EvictByOperator(Segment* segment) {
  ++counters_->evictions;
  counters_->bytes_evicted += segment->footprint();
  Tell(*segment, {.kind = EventKind::kSegmentEvicted, .reason = "operator"});
  Drain(segment, /*evicted=*/true);
}

// As much of `bytes` as may go, in order.
std::vector<Victim> SegmentTable::VictimsOf(uint64_t bytes) const {
  std::vector<Victim> victims = evictor_.Choose(std::min(bytes, evictor_.bytes()));
  if (!victims.empty()) return victims;
  // The policy lets none go for a newcomer; this is an operator's or the machine's word.
  std::vector<const Segment*> idle;
  for (const auto& [id, segment] : segments_) {
    if (segment->MayGo()) idle.push_back(segment.get());
  }
  std::stable_sort(idle.begin(), idle.end(), [](const Segment* a, const Segment* b) {
    return a->last_used() < b->last_used();
  });
  uint64_t freed = 0;
  for (const Segment* segment : idle) {
    if (freed >= bytes) break;
    freed += segment->footprint();
    victims.push_back({.segment = segment->id()});
  }
  return victims;
}

uint64_t SegmentTable::GiveUp(uint64_t bytes, std::string_view reason) {
  uint64_t freed = 0;
  for (const Victim& chosen : VictimsOf(bytes)) {
    freed += EvictIdle(chosen, reason, /*most=*/UINT64_MAX);
  }
  return freed;
}

// One that is larger than what may go stays, and others go for it.
uint64_t SegmentTable::GiveUpAtMost(uint64_t bytes, uint64_t most, std::string_view reason) {
  uint64_t freed = 0;
  for (const Victim& chosen : VictimsOf(UINT64_MAX)) {
    if (freed >= bytes) break;
    freed += EvictIdle(chosen, reason, most - freed);
  }
  return freed;
}

// What went: none that is larger than `most`.
uint64_t SegmentTable::EvictIdle(const Victim& chosen, std::string_view reason, uint64_t most) {
  Segment* victim = FindById(chosen.segment);
  if (victim == nullptr || !victim->MayGo() || victim->footprint() > most) return 0;
  const uint64_t bytes = victim->footprint();
  EvictOne(victim, chosen.rank, reason);
  return bytes;
}

}  // namespace trims
