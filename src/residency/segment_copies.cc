// What is in two tiers: what becomes of the copy beneath (residency/host_copy.h).
#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "residency/copy_hold.h"
#include "residency/segment_table.h"

namespace trims {
namespace {

// What it is a copy of, in the tier beneath.
std::span<const ImagePtr> BroughtFrom(const ImagePtr& image) {
  return image->from == nullptr ? std::span(&image, 1) : PartsOf(image->from);
}

}  // namespace

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
  const bool stays = segment->pinned() || segment->held_for_above();
  if (!IsThereOrComes(segment->state()) || stays || segment->leaving()) return;
  segment->set_leaving(Leaving::kCopiedAbove);
  if (segment->MayGo()) LetGo(segment);
}

// After the lease beneath has ended. A part that other pieces are still to be brought from goes with the last of them.
void SegmentTable::DropBeneath(const Segment& segment) {
  if (dependencies_.beneath == nullptr || options_.host_copy != HostCopy::kDrop) return;
  for (const ImagePtr& from : BroughtFrom(segment.image_ptr())) {
    if (!IsBroughtFrom(from->key)) dependencies_.beneath->DropForAbove(from->key);
  }
}

bool SegmentTable::IsBroughtFrom(const std::string& key) const {
  if (forms_.empty()) return false;
  return std::ranges::any_of(segments_, [&](const auto& each) {
    const Segment& segment = *each.second;
    return Comes(segment.state()) && segment.image().from != nullptr &&
           std::ranges::any_of(PartsOf(segment.image().from),
                               [&](const ImagePtr& part) { return part->key == key; });
  });
}

// Before it ends: the one beneath must not go between.
void SegmentTable::HoldBeneath(const Segment& segment) {
  if (dependencies_.beneath == nullptr || options_.host_copy != HostCopy::kPin) return;
  std::vector<CopyHold>& holds = copy_holds_[segment.id()];
  for (const ImagePtr& from : BroughtFrom(segment.image_ptr())) {
    holds.emplace_back(dependencies_.beneath, from->key);
  }
}

}  // namespace trims
