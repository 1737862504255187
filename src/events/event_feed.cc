#include "events/event_feed.h"

#include <algorithm>
#include <string>

#include "base/shown_name.h"

namespace trims {
namespace {

// What a client says of itself, and what it asked for: no longer than a reference may be, and without control characters.
void MakeShowable(std::string* text) {
  constexpr size_t kLongest = 300;
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  const bool is = text->size() <= kLongest && std::ranges::none_of(*text, is_control);
  if (!is) *text = ShownName(*text);
}

// About what it takes of memory, and of a document.
size_t BytesOf(const Event& event) {
  constexpr size_t kFixed = 160;
  return kFixed + event.model.size() + event.other.size() + event.client.size() +
         event.error.message().size() + event.traceparent.size();
}

}  // namespace

EventWait& EventWait::operator=(EventWait&& other) noexcept {
  if (this != &other) {
    Cancel();
    feed_ = std::exchange(other.feed_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

void EventWait::Cancel() {
  if (EventFeed* feed = std::exchange(feed_, nullptr)) feed->Cancel(id_);
}

EventFeed::EventFeed(TimerService* timers, uint64_t last)
    : timers_(timers), events_(last, kKept), opens_(last, kKept) {}

EventFeed::~EventFeed() {
  timers_->Cancel(tell_timer_);
  timers_->Cancel(linger_timer_);
  for (const auto& [id, listener] : listeners_) timers_->Cancel(listener.timer);
}

void EventFeed::Record(Event event) {
  const bool open = IsOpen(event.kind);
  if (open && !wants_opens_) return;
  event.unix_us = UnixMicrosecondsNow();
  if (open) {
    MakeShowable(&event.model);
    MakeShowable(&event.client);
  }
  const Event& recorded = (open ? opens_ : events_).Add(std::move(event));
  for (auto& [id, listener] : listeners_) {
    if (listener.due) continue;
    listener.due = listener.query.filter.Wants(recorded);
    // What it does not want it does not lose either.
    if (!listener.due)
      (open ? listener.query.opens_since : listener.query.since) = recorded.sequence;
    if (listener.due) TellSoon();
  }
}

EventQuery EventFeed::FromNow(EventQuery query) const {
  if (!query.since) query.since = events_.last();
  if (!query.opens_since) query.opens_since = opens_.last();
  return query;
}

EventBatch EventFeed::Read(const EventQuery& query) const { return ReadSome(query, kMostInBatch); }

EventBatch EventFeed::ReadSome(const EventQuery& asked, size_t most) const {
  const EventQuery query = FromNow(asked);
  EventBatch batch{.events = {}, .next = *query.since, .opens_next = *query.opens_since};
  batch.lost = events_.LostSince(*query.since);
  if (query.filter.WantsOpens()) batch.opens_lost = opens_.LostSince(*query.opens_since);
  auto event = events_.After(*query.since);
  auto open = opens_.After(*query.opens_since);
  for (size_t bytes = 0; batch.events.size() < most && bytes < kMostBatchBytes;) {
    const bool has_event = event != events_.end();
    const bool has_open = open != opens_.end();
    if (!has_event && !has_open) break;
    const bool takes_open = has_open && (!has_event || open->unix_us < event->unix_us);
    const Event& next = takes_open ? *open++ : *event++;
    (takes_open ? batch.opens_next : batch.next) = next.sequence;
    if (!query.filter.Wants(next)) continue;
    batch.events.push_back(next);
    bytes += BytesOf(next);
  }
  // What went, or is another daemon's, is not asked for again.
  if (event == events_.end()) batch.next = events_.last();
  if (open == opens_.end()) batch.opens_next = opens_.last();
  return batch;
}

EventWait EventFeed::Await(EventQuery query, Duration patience,
                           std::function<void(EventBatch)> done) {
  query = FromNow(std::move(query));
  const uint64_t id = ++last_listener_;
  if (query.filter.WantsOpens()) WantOpens();
  const EventBatch there = ReadSome(query, /*most=*/1);
  const bool due = !there.events.empty() || there.lost > 0 || there.opens_lost > 0;
  if (!due) {
    query.since = there.next;
    query.opens_since = there.opens_next;
  }
  const uint64_t timer = timers_->CallAfter(patience, [this, id] { Answer(id); });
  listeners_.emplace(id, Listener{std::move(query), std::move(done), timer, due});
  if (due) TellSoon();
  return EventWait(this, id);
}

void EventFeed::TellSoon() { TellAfter(kTellAfter); }

void EventFeed::TellAfter(Duration delay) {
  if (tell_timer_ != 0) return;
  tell_timer_ = timers_->CallAfter(delay, [this] {
    tell_timer_ = 0;
    Tell();
  });
}

// A few in a turn, since each is a document. An answer may have others wait, or give up.
void EventFeed::Tell() {
  std::vector<uint64_t> due;
  for (const auto& [id, listener] : listeners_) {
    if (listener.due) due.push_back(id);
  }
  const size_t now = std::min(due.size(), kAnswersInTurn);
  if (now < due.size()) TellAfter(Duration::zero());
  for (size_t i = 0; i < now; ++i) Answer(due[i]);
}

void EventFeed::Answer(uint64_t id) {
  auto found = listeners_.extract(id);
  if (found.empty()) return;
  const Listener& listener = found.mapped();
  timers_->Cancel(listener.timer);
  if (listener.query.filter.WantsOpens()) WantOpens();
  listener.done(Read(listener.query));
}

void EventFeed::Cancel(uint64_t id) {
  const auto found = listeners_.find(id);
  if (found == listeners_.end()) return;
  timers_->Cancel(found->second.timer);
  listeners_.erase(found);
}

// While somebody waits for them, and for a while after.
void EventFeed::WantOpens() {
  wants_opens_ = true;
  timers_->Cancel(linger_timer_);
  linger_timer_ = timers_->CallAfter(kOpensLinger, [this] {
    linger_timer_ = 0;
    wants_opens_ = std::ranges::any_of(
        listeners_, [](const auto& listener) { return listener.second.query.filter.WantsOpens(); });
    if (wants_opens_) WantOpens();
  });
}

}  // namespace trims
