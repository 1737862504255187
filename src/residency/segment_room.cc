// Room: admission by exact size, eviction, freeing.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/bytes_text.h"
#include "base/log.h"
#include "base/macros.h"
#include "residency/segment_table.h"
#include "store/memory_pressure.h"

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

// Who keeps what lingers, as far as somebody is known.
std::string KeptBy(const std::map<uint64_t, Lingering>& lingering) {
  std::set<int64_t> pids;
  for (const auto& [drain, kept] : lingering) {
    for (const MemoryKeeper& keeper : kept.keepers) pids.insert(keeper.pid);
    if (!kept.keepers.empty()) continue;
    for (const auto& holder : kept.last_holders) pids.insert(holder->pid);
  }
  std::string text;
  size_t shown = 0;
  for (const int64_t pid : pids) {
    if (++shown > kHoldersShown) return text + ", …)";
    text += (text.empty() ? " (pid " : ", pid ") + std::to_string(pid);
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

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
  for (const auto& [drain, lingering] : lingering_) use.lingering += lingering.room.bytes();
  return use;
}

Status SegmentTable::Admit(Segment* segment, ImagePtr image, PreparedStore::Pin pin) {
  if (segment->footprint() > budget().limit()) {
    return Status(StatusCode::kTooLarge,
                  "model '" + image->reference + "' (" + std::string(VariantName(image->kind)) +
                      ") takes " + BytesText(segment->footprint()) + ", the budget of tier '" +
                      std::string(tier_name()) + "' is " + BytesText(budget().limit()),
                  budget().HowToRaise());
  }
  TRIMS_RETURN_IF_ERROR(KeepToQuota(*segment, *image));
  const uint64_t shortage = room_queue_.Shortage(segment->footprint(), draining_bytes_);
  segment->mutable_use()->admitted = true;
  if (shortage > 0) TRIMS_RETURN_IF_ERROR(Evict(shortage, segment));
  segment->SetCharge(
      ledger_.ChargeLoad(image->reference, segment->footprint(), dependencies_.clock->Now()));
  segment->Reserve(std::move(image), std::move(pin));
  room_queue_.Push(segment->id(), segment->footprint());
  return {};
}

// What is beyond the bytes of its namespace goes first, of that namespace's own.
Status SegmentTable::KeepToQuota(const Segment& segment, const Image& image) {
  const uint64_t excess = ledger_.Excess(image.reference, segment.footprint());
  if (excess == 0) return {};
  const std::string_view name = NamespaceOf(image.reference);
  const NamespaceUse* own = &ledger_.uses().find(name)->second;
  const std::vector<Victim> victims = evictor_.Choose(excess, [this, own](uint64_t id) {
    const Segment* victim = FindById(id);
    return victim != nullptr && MayGo(*victim) && victim->charge().use() == own;
  });
  if (victims.empty()) return ledger_.TooManyBytes(image.reference, segment.footprint());
  for (const Victim& victim : victims) {
    EvictOne(FindById(victim.segment), victim.rank, image.reference);
  }
  return {};
}

// Who stays though nobody holds it: what was used moments ago, and the guaranteed bytes of other namespaces.
EvictionOrder::MayGo SegmentTable::Sparing(const Image& whom_for) const {
  const Duration guard = options_.churn_guard;
  if (guard <= Duration::zero() && !ledger_.keeps()) return {};
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
    ++counters_->reclaimed;
    Drain(segment.get());
  }
}

// All or nothing: a policy that names too little, or what is no candidate, evicts nothing.
Status SegmentTable::Evict(uint64_t needed, Segment* whom_for) {
  const std::vector<Victim> victims = evictor_.Choose(needed, Sparing(whom_for->image()));
  std::vector<EvictionCandidate> uses;
  uint64_t freed = 0;
  for (const Victim& chosen : victims) {
    const Segment* victim = FindById(chosen.segment);
    if (victim == nullptr || !MayGo(*victim)) return NoRoom(*whom_for);
    freed += victim->footprint();
    uses.push_back(victim->use());
  }
  if (freed < needed) return NoRoom(*whom_for);
  const bool admitted = evictor_.Admits(whom_for->key(), whom_for->footprint(), uses);
  whom_for->mutable_use()->admitted = admitted;
  for (const Victim& chosen : victims) {
    EvictOne(FindById(chosen.segment), chosen.rank, whom_for->image().reference);
  }
  return {};
}

void SegmentTable::EvictOne(Segment* victim, double rank, std::string_view what_for) {
  evictor_.Evicted(victim->use(), rank);
  ++counters_->evictions;
  counters_->bytes_evicted += victim->footprint();
  LogInfo("segment.evicted", {{"model", victim->image().reference},
                              {"variant", VariantName(victim->image().kind)},
                              {"tier", tier_name()},
                              {"bytes", victim->footprint()},
                              {"policy", policy().eviction->name},
                              {"for", what_for}});
  Drain(victim, /*evicted=*/true);
}

// As much of `bytes` as may go, in order.
std::vector<Victim> SegmentTable::VictimsOf(uint64_t bytes) const {
  std::vector<Victim> victims = evictor_.Choose(std::min(bytes, evictor_.bytes()));
  if (!victims.empty()) return victims;
  // The policy lets none go for a newcomer; this is an operator's or the machine's word.
  std::vector<const Segment*> idle;
  for (const auto& [id, segment] : segments_) {
    if (MayGo(*segment)) idle.push_back(segment.get());
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

uint64_t SegmentTable::GiveUp(uint64_t bytes, std::string_view what_for) {
  uint64_t freed = 0;
  for (const Victim& chosen : VictimsOf(bytes)) {
    Segment* victim = FindById(chosen.segment);
    if (victim == nullptr || !MayGo(*victim)) continue;
    freed += victim->footprint();
    EvictOne(victim, chosen.rank, what_for);
  }
  return freed;
}

void SegmentTable::SetBudget(uint64_t limit) {
  tier_->budget().SetLimit(limit);
  Shrink();
  FillRoom();
}

uint64_t SegmentTable::Relieve(uint64_t floor) {
  const Waiters::Turn turn(&waiters_);
  const uint64_t staying = budget().used() - draining_bytes_;
  return GiveUp(PressureStep(staying, floor, budget().limit()), "memory pressure");
}

void SegmentTable::Shrink() {
  const uint64_t excess = room_queue_.Shortage(0, draining_bytes_);
  if (excess == 0) return;
  const Waiters::Turn turn(&waiters_);
  GiveUp(excess, "a lower budget");
  KeepPromises();
}

std::string SegmentTable::SparedText() const {
  std::string text;
  if (options_.churn_guard.count() > 0) {
    text += " that was not used in the last " + std::to_string(options_.churn_guard.count()) +
            " ms (--churn-guard)";
  }
  if (ledger_.keeps()) text += " that is not guaranteed to its namespace (--quota)";
  return text;
}

Status SegmentTable::NoRoom(const Segment& segment) const {
  const RoomUse use = Use();
  std::string message = "no room for model '" + segment.image().reference + "' (" +
                        std::string(VariantName(segment.image().kind)) + ") in tier '" +
                        std::string(tier_name()) + "': it takes " + BytesText(segment.footprint()) +
                        " of " + BytesText(budget().limit()) + "; " + BytesText(use.leased) +
                        " are in use by " + std::to_string(leases_) + " leases, " +
                        BytesText(use.loading + use.waiting) + " by loads on their way, " +
                        BytesText(use.draining) + " are being freed";
  if (budget().used() > budget().limit()) {
    message += ", and " + BytesText(budget().used() - budget().limit()) +
               " are in use beyond its budget, which was lowered";
  }
  if (use.lingering > 0) {
    message += ", " + BytesText(use.lingering) + " linger, since programs still map them" +
               KeptBy(lingering_);
  }
  if (use.pinned > 0) message += ", " + BytesText(use.pinned) + " are pinned";
  if (use.idle > 0) {
    message += ", " + BytesText(use.idle) + " are idle, of which policy '" +
               std::string(policy().eviction->name) + "' gives up too little" + SparedText();
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
  const uint64_t drain = ++last_drain_;
  draining_[drain].segment = segment->id();
  tier_->Release(segment->BeginDrain(),
                 {.freed = IfAlive([this, drain] { Freed(drain); }),
                  .kept = IfAlive([this, drain](std::vector<MemoryId> memory) {
                    Kept(drain, std::move(memory));
                  })});
}

// Its bytes are gone, or are nobody's but those who keep them.
void SegmentTable::EndDrain(Segment* segment) {
  if (WaitersOf(*segment) == 0) return Forget(segment);
  // Opened while it was being freed: it comes back, behind those who waited for its room.
  const Status status = Admit(segment, segment->image_ptr(), segment->TakePin());
  if (status.ok()) return FillRoom();
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
    if (!Evict(shortage, segment).ok()) Refuse(segment);
  }
}

void SegmentTable::Refuse(Segment* segment) {
  const Status why = NoRoom(*segment);
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
