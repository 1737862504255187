// What is in two tiers: what becomes of the copy beneath (residency/host_copy.h).
#include <utility>

#include "residency/copy_hold.h"
#include "residency/segment_table.h"

namespace trims {

CopyHold::CopyHold(SegmentTable* beneath, std::string key)
    : beneath_(beneath), key_(std::move(key)) {
  beneath_->HoldForAbove(key_);
}

CopyHold::~CopyHold() {
  if (beneath_ != nullptr) beneath_->EndHoldForAbove(key_);
}

void SegmentTable::HoldForAbove(const std::string& key) {
  if (++held_for_above_[key] > 1) return;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  found->second->set_held_for_above(true);
  Reconsider(*found->second);
}

// It goes, or stays, as it would had nobody held it since its last use.
void SegmentTable::EndHoldForAbove(const std::string& key) {
  const auto held = held_for_above_.find(key);
  if (--held->second > 0) return;
  held_for_above_.erase(held);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const Waiters::Turn turn(&waiters_);
  Segment* segment = found->second;
  segment->set_held_for_above(false);
  Reconsider(*segment);
  if (segment->MayGo() && !Stays(*segment)) return LetGo(segment);
  LetGoWhenDue(*segment);
  if (budget().used() > budget().limit()) Shrink();
}

// What somebody has open goes with its last lease; what only comes, once it is there, unless somebody waits for it then.
void SegmentTable::DropForAbove(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const Waiters::Turn turn(&waiters_);
  Segment* segment = found->second;
  const SegmentState state = segment->state();
  const bool there = state == SegmentState::kReserved || state == SegmentState::kLoading ||
                     state == SegmentState::kResident;
  const bool stays = segment->pinned() || segment->held_for_above();
  if (!there || stays || segment->leaving()) return;
  segment->set_leaving(Leaving::kCopiedAbove);
  if (segment->MayGo()) LetGo(segment);
}

// After the lease beneath has ended.
void SegmentTable::DropBeneath(const Segment& segment) {
  if (dependencies_.beneath == nullptr || options_.host_copy != HostCopy::kDrop) return;
  dependencies_.beneath->DropForAbove(segment.key());
}

// Before it ends: the one beneath must not go between.
void SegmentTable::HoldBeneath(const Segment& segment) {
  if (dependencies_.beneath == nullptr || options_.host_copy != HostCopy::kPin) return;
  copy_holds_.try_emplace(segment.id(), dependencies_.beneath, segment.key());
}

}  // namespace trims
