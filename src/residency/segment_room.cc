// Room: admission by exact size, freeing, and who waits for it.
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

constexpr size_t kHoldersShown = 3;

std::string Holding(const Segment& segment) {
  std::string text = segment.image().reference + " (" + BytesText(segment.footprint());
  if (segment.leases() > 0) text += ", leases: " + std::to_string(segment.leases());
  if (segment.pinned()) text += ", pinned";
  if (segment.held_for_above()) text += ", held for its copy on a device";
  return text + ")";
}

// Those that can't go, the largest first.
std::string LargestHolders(std::vector<const Segment*> segments) {
  std::erase_if(segments, [](const Segment* segment) {
    return segment->state() != SegmentState::kResident || segment->MayGo();
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

void SegmentTable::SetPolicy(const TierPolicy& policy) {
  const Waiters::Turn turn(&waiters_);
  const TierPolicy before = evictor_.policy();
  evictor_.SetPolicy(policy);
  for (const auto& [id, segment] : segments_) {
    evictor_.TakeOver(before, segment->mutable_use());
    Reconsider(*segment);
  }
  LetGoWhatIsDue();
}

void SegmentTable::SetBudget(uint64_t limit) {
  tier_->budget().SetLimit(limit);
  Shrink();
  FillRoom();
}

uint64_t SegmentTable::Relieve(uint64_t floor) {
  const Waiters::Turn turn(&waiters_);
  const uint64_t staying = budget().used() - draining_bytes_;
  if (staying <= floor) return 0;
  return GiveUpAtMost(PressureStep(staying, floor, budget().limit()), staying - floor, "pressure");
}

void SegmentTable::Shrink() {
  const uint64_t excess = room_queue_.Shortage(0, draining_bytes_);
  if (excess == 0) return;
  const Waiters::Turn turn(&waiters_);
  GiveUp(excess, "budget");
  KeepPromises();
}

std::string SegmentTable::SparedText() const {
  std::string text;
  if (options_.churn_guard.count() > 0) {
    text += " that was not used in the last " + std::to_string(options_.churn_guard.count()) +
            " ms (--churn-guard)";
  }
  if (ledger_.limits()) text += " that is not guaranteed to its namespace (--quota)";
  return text;
}

Status SegmentTable::TooLarge(const Image& image) const {
  return Status(StatusCode::kTooLarge,
                "model '" + image.reference + "' (" + std::string(VariantName(image.kind)) +
                    ") takes " + BytesText(FootprintOf(image)) + ", the budget of tier '" +
                    std::string(tier_name()) + "' is " + BytesText(budget().limit()),
                budget().HowToRaise());
}

Status SegmentTable::NoRoom(const Image& image) const {
  const RoomUse use = Use();
  std::string message =
      "no room for model '" + image.reference + "' (" + std::string(VariantName(image.kind)) +
      ") in tier '" + std::string(tier_name()) + "': it takes " + BytesText(FootprintOf(image)) +
      " of " + BytesText(budget().limit()) + "; " + BytesText(use.leased) + " are in use by " +
      std::to_string(leases_) + " leases, " + BytesText(use.loading + use.waiting) +
      " by loads on their way, " + BytesText(use.draining) + " are being freed";
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
