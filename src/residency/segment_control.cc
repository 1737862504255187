// What an operator asks of a tier: what is brought in, what stays, what goes, and by what rules.
#include <utility>

#include "base/macros.h"
#include "residency/segment_table.h"
#include "store/memory_pressure.h"

namespace trims {

Result<OpenOutcome> SegmentTable::Prefetch(const ImagePtr& image, OpenCallback done) {
  Answered answered = Answered::kHit;
  return AcquireImage(FormOf(image), kNoDeadline, std::move(done), Asker::kOperator, &answered);
}

void SegmentTable::SetPinned(std::set<std::string> keys) {
  const Waiters::Turn turn(&waiters_);
  pinned_ = std::move(keys);
  std::vector<Segment*> unpinned;
  for (const auto& [id, segment] : segments_) {
    const bool was = segment->pinned();
    segment->set_pinned(pinned_.contains(segment->key()));
    if (segment->pinned()) segment->set_leaving(Leaving::kNo);
    if (was != segment->pinned()) Reconsider(*segment);
    if (was && !segment->pinned()) unpinned.push_back(segment.get());
  }
  // As if its last lease had just ended.
  for (Segment* segment : unpinned) {
    if (segment->state() != SegmentState::kResident || segment->leases() > 0) continue;
    if (!Stays(*segment)) LetGo(segment);
  }
  if (!unpinned.empty()) LetGoOfCutAnew();
  LetGoWhatIsDue();
  Shrink();
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

// For commands in hints; they mean the host's memory without it.
std::string SegmentTable::TierOption() const {
  return tier_name() == "host" ? "" : " --tier " + std::string(tier_name());
}

Status SegmentTable::CheckMayEvict(const std::string& key) const {
  const Segment* segment = FindByKey(key);
  if (segment == nullptr) return {};
  const std::string what = "model '" + segment->image().reference + "' (" +
                           std::string(VariantName(segment->image().kind)) + ") in tier '" +
                           std::string(tier_name()) + "' ";
  if (segment->pinned()) {
    return Status(StatusCode::kFailedPrecondition, what + "is pinned",
                  "trims unpin " + segment->image().reference + TierOption());
  }
  if (segment->held_for_above()) {
    return Status(StatusCode::kFailedPrecondition,
                  what + "is held for its copy on a device (--host-copy pin)",
                  "evict it there first (trims status shows which device has it)");
  }
  const size_t waiters = WaitersOf(*segment);
  std::string why;
  if (segment->leases() > 0) why = "is in use, leases: " + std::to_string(segment->leases());
  if (waiters > 0) why = "is waited for, opens: " + std::to_string(waiters);
  if (why.empty() && Comes(segment->state())) why = "is being loaded";
  if (why.empty()) return {};
  return Status(StatusCode::kFailedPrecondition, what + why,
                "trims evict " + segment->image().reference + " --when-idle" + TierOption());
}

void SegmentTable::EvictWhenIdle(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const Waiters::Turn turn(&waiters_);
  Segment* segment = found->second;
  const SegmentState state = segment->state();
  if (segment->MayGo()) {
    return EvictByOperator(segment);
  }
  // What is being freed already is on its way, whoever wants it again.
  if (IsThereOrComes(state) && !segment->pinned()) segment->set_leaving(Leaving::kByOperator);
}

void SegmentTable::SetWhenQuiet(std::function<void()> call) {
  when_quiet_ = std::move(call);
  if (!when_quiet_) return waiters_.SetAfterTurn(nullptr);
  waiters_.SetAfterTurn([this] { TellWhenQuiet(); });
}

// Later, since somebody is in the middle of ending what they hold.
void SegmentTable::TellWhenQuiet() {
  if (!when_quiet_ || !Quiet() || std::exchange(telling_quiet_, true)) return;
  dependencies_.timers->CallAfter(Duration::zero(), IfAlive([this] {
                                    telling_quiet_ = false;
                                    if (when_quiet_ && Quiet()) when_quiet_();
                                  }));
}

}  // namespace trims
