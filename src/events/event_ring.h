// EventRing: the last events of a stream, numbered one after the other. What is beyond its capacity goes, the oldest first, so
// that whoever reads on from a number knows how many it has missed.
//
// Thread-safety: none.
#ifndef TRIMS_EVENTS_EVENT_RING_H_
#define TRIMS_EVENTS_EVENT_RING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "events/event.h"

namespace trims {

class EventRing {
 public:
  // `last`: the number before the first one's.
  EventRing(uint64_t last, size_t capacity) : first_(last + 1), last_(last), capacity_(capacity) {}

  const Event& Add(Event event) {
    event.sequence = ++last_;
    if (events_.size() == capacity_) events_.pop_front();
    return events_.emplace_back(std::move(event));
  }

  uint64_t last() const { return last_; }

  // How many came after number `since` and are gone. What was numbered before the first is another daemon's; 0 asks for what is
  // kept, and has missed nothing.
  uint64_t LostSince(uint64_t since) const {
    if (since == 0) return 0;
    const uint64_t next = std::max(since + 1, first_);
    const uint64_t oldest = last_ - events_.size() + 1;
    return oldest > next ? oldest - next : 0;
  }

  // Of those after number `since`, the oldest that is kept.
  std::deque<Event>::const_iterator After(uint64_t since) const {
    const uint64_t oldest = last_ - events_.size() + 1;
    const uint64_t passed =
        since < oldest ? 0 : std::min<uint64_t>(since - oldest + 1, events_.size());
    return events_.begin() + static_cast<std::ptrdiff_t>(passed);
  }
  std::deque<Event>::const_iterator end() const { return events_.end(); }

 private:
  const uint64_t first_;
  uint64_t last_;
  const size_t capacity_;
  std::deque<Event> events_;
};

}  // namespace trims

#endif  // TRIMS_EVENTS_EVENT_RING_H_
