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
    case Leaving::kCutAnew:
      return "cut";
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

Reclaim SegmentTable::ReclaimBy(const std::optional<OwnReclaim>& own) const {
  return own ? own->In(policy()) : policy().ReclaimOfAny();
}

Reclaim SegmentTable::ReclaimOf(const Segment& segment) const {
  return ReclaimBy(segment.keep_alive());
}

bool SegmentTable::Keeps(const Image& image) const {
  return ReclaimBy(KeepAliveOf(image.key)).Keeps();
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
  if (due < next_due_) SetDueTimer(due);
}

void SegmentTable::SetDueTimer(TimePoint due) {
  next_due_ = due;
  dependencies_.timers->Cancel(due_timer_);
  if (due == TimePoint::max()) return;
  due_timer_ = dependencies_.timers->CallAfter(due - dependencies_.clock->Now(),
                                               IfAlive([this] { LetGoWhatIsDue(); }));
}

void SegmentTable::LetGoWhatIsDue() {
  const Waiters::Turn turn(&waiters_);
  const TimePoint now = dependencies_.clock->Now();
  TimePoint next = TimePoint::max();
  for (const auto& [id, segment] : segments_) {
    const TimePoint due = DueOf(*segment);
    if (due <= now) {
      LetGo(segment.get());
    } else {
      next = std::min(next, due);
    }
  }
  SetDueTimer(next);
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
