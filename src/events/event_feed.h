// EventFeed: what the daemon did lately, and those who wait to hear what it does next.
//
//   feed.Record({.kind = EventKind::kModelPinned, .model = reference});
//   EventBatch batch = feed.Read({.filter = filter, .since = 17});      // what is kept
//   EventWait wait = feed.Await(query, 5s, [](EventBatch batch) { … });  // what comes
//
// Two streams, each with its own numbers and its own ring: opens, which may be tens of thousands a second, and all else, which
// opens must not push out. Who listens has a place in each (numbers), and no memory of the feed: who is too slow loses events, and
// is told how many. Waits are answered together, a moment after something has come, so that what a listener costs the loop does
// not grow with what there is to tell.
//
// Numbers begin with the microseconds since 1970 when the feed was made: they rise across restarts of the daemon.
// Ownership: clock and timers outlive it, it outlives its waits. Thread-safety: loop only.
#ifndef TRIMS_EVENTS_EVENT_FEED_H_
#define TRIMS_EVENTS_EVENT_FEED_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "events/event.h"
#include "events/event_filter.h"
#include "events/event_ring.h"
#include "loop/timer_service.h"

namespace trims {

struct EventQuery {
  EventFilter filter;
  // Those after these numbers; 0: all that are kept; nothing: those that come from now on.
  std::optional<uint64_t> since;
  std::optional<uint64_t> opens_since;
};

// In the order of their times. `next` and `opens_next` are where to go on.
struct EventBatch {
  std::vector<Event> events;
  uint64_t next = 0;
  uint64_t opens_next = 0;
  uint64_t lost = 0;  // events, of whatever kind or model, that went before they were read
  uint64_t opens_lost = 0;
};

class EventFeed;

// Move-only; dropped, its listener is not called any more.
class EventWait {
 public:
  EventWait(EventWait&& other) noexcept
      : feed_(std::exchange(other.feed_, nullptr)), id_(other.id_) {}
  EventWait& operator=(EventWait&& other) noexcept;
  ~EventWait() { Cancel(); }

 private:
  friend class EventFeed;
  EventWait(EventFeed* feed, uint64_t id) : feed_(feed), id_(id) {}
  void Cancel();

  EventFeed* feed_;
  uint64_t id_;
};

class EventFeed final : public EventSink {
 public:
  static constexpr size_t kKept = 4096;  // of each stream
  static constexpr size_t kMostInBatch = 1024;
  static constexpr size_t kMostBatchBytes = size_t{256} << 10;  // of names and errors
  static constexpr size_t kAnswersInTurn = 4;                   // of the loop
  static constexpr Duration kTellAfter = std::chrono::milliseconds(50);
  // How long opens are still recorded after somebody who asked for them was answered.
  static constexpr Duration kOpensLinger = std::chrono::seconds(10);

  // `last`: the number before the first event's.
  EventFeed(TimerService* timers, uint64_t last);
  ~EventFeed() override;
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  // An open that nobody wants is dropped.
  void Record(Event event) override;
  // Whether an open is worth making an event of.
  bool wants_opens() const { return wants_opens_; }

  EventBatch Read(const EventQuery& query) const;
  // `done` is called once, never inside this call: with what there is a moment after something came, or with nothing after
  // `patience`.
  EventWait Await(EventQuery query, Duration patience, std::function<void(EventBatch)> done);
  // Who waits. An event costs a look at each, and one that they want a document for each: whoever lets them wait limits them.
  size_t waits() const { return listeners_.size(); }

 private:
  friend class EventWait;
  struct Listener {
    EventQuery query;
    std::function<void(EventBatch)> done;
    uint64_t timer = 0;  // of its patience
    bool due = false;    // there is something for it; else its query is up to date
  };

  EventQuery FromNow(EventQuery query) const;
  EventBatch ReadSome(const EventQuery& query, size_t most) const;
  void TellSoon();
  void TellAfter(Duration delay);
  void Tell();
  void Answer(uint64_t id);
  void Cancel(uint64_t id);
  void WantOpens();

  TimerService* const timers_;
  EventRing events_;
  EventRing opens_;
  bool wants_opens_ = false;
  uint64_t linger_timer_ = 0;
  uint64_t tell_timer_ = 0;  // 0: nothing to tell
  uint64_t last_listener_ = 0;
  std::map<uint64_t, Listener> listeners_;
};

}  // namespace trims

#endif  // TRIMS_EVENTS_EVENT_FEED_H_
