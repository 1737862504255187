// What goes without being asked for its room: once nobody holds it, at once or after as long as it is kept.
#include <algorithm>
#include <utility>

#include "residency/segment_table.h"

namespace trims {
namespace {

std::string_view ReasonOf(Leaving leaving) {
  switch (leaving) {
    case Leaving::kNo:
      return "policy";
    case Leaving::kByOperator:
      return "operator";
    case Leaving::kCopiedAbove:
      return "copied";
  }
  return "";
}

}  // namespace

void SegmentTable::SetKeepAlive(std::map<std::string, OwnReclaim> by_key) {
  keep_alive_ = std::move(by_key);
  for (const auto& [id, segment] : segments_) segment->set_keep_alive(KeepAliveOf(segment->key()));
  LetGoWhatIsDue();
}

std::optional<OwnReclaim> SegmentTable::KeepAliveOf(const std::string& key) const {
  const auto found = keep_alive_.find(key);
  return found == keep_alive_.end() ? std::nullopt : std::optional(found->second);
}

Reclaim SegmentTable::ReclaimOf(const Segment& segment) const {
  const std::optional<OwnReclaim>& own = segment.keep_alive();
  return own ? own->In(policy()) : policy().ReclaimOfAny();
}

bool SegmentTable::Keeps(const Image& image) const {
  const std::optional<OwnReclaim> own = KeepAliveOf(image.key);
  return (own ? own->In(policy()) : policy().ReclaimOfAny()).Keeps();
}

bool SegmentTable::Stays(const Segment& segment) const {
  if (segment.removed()) return false;
  if (segment.held_for_above()) return true;
  return !segment.leaving() && (segment.pinned() || ReclaimOf(segment).Keeps());
}

std::optional<Duration> SegmentTable::GoesIn(const Segment& segment) const {
  const TimePoint due = DueOf(segment);
  if (due == TimePoint::max()) return std::nullopt;
  return std::max(due - dependencies_.clock->Now(), Duration::zero());
}

TimePoint SegmentTable::DueOf(const Segment& segment) const {
  const Reclaim reclaim = ReclaimOf(segment);
  if (!reclaim.after || !segment.MayGo()) return TimePoint::max();
  return segment.last_used() + *reclaim.after;
}

// One timer for the table, which is moved only to an earlier time: an open or a close of what is kept as long as
// another sets none.
void SegmentTable::LetGoWhenDue(const Segment& segment) {
  const TimePoint due = DueOf(segment);
  if (due >= next_due_) return;
  next_due_ = due;
  dependencies_.timers->Cancel(due_timer_);
  due_timer_ = dependencies_.timers->CallAfter(due - dependencies_.clock->Now(),
                                               IfAlive([this] { LetGoWhatIsDue(); }));
}

void SegmentTable::LetGoWhatIsDue() {
  const Waiters::Turn turn(&waiters_);
  const TimePoint now = dependencies_.clock->Now();
  next_due_ = TimePoint::max();
  for (const auto& [id, segment] : segments_) {
    if (DueOf(*segment) <= now) LetGo(segment.get());
  }
  for (const auto& [id, segment] : segments_) LetGoWhenDue(*segment);
}

void SegmentTable::LetGo(Segment* segment) {
  const bool kept = segment->keep_alive() || ReclaimOf(*segment).Keeps();
  const std::string_view reason = segment->removed()   ? "removed"
                                  : segment->leaving() ? ReasonOf(segment->why_leaving())
                                  : kept               ? "keep_alive"
                                                       : "policy";
  ++counters_->reclaimed;
  Tell(*segment, {.kind = EventKind::kSegmentReclaimed, .reason = reason});
  Drain(segment);
}

}  // namespace trims
