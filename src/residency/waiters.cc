#include "residency/waiters.h"

#include <algorithm>
#include <string>
#include <utility>

namespace trims {

Waiters::~Waiters() { Silence(); }

void Waiters::Silence() {
  ++depth_;  // no Turn is the outermost one any more
  segment_of_.clear();
  // Taken out first: the end of a callback may end what it holds, and that may be another wait.
  const auto waiting = std::exchange(of_segment_, {});
  const auto answers = std::exchange(answers_, {});
  for (const auto& [segment, waiters] : waiting) {
    for (const auto& [id, waiter] : waiters) timers_->Cancel(waiter.timer);
  }
}

uint64_t Waiters::Add(uint64_t segment, OpenInfo info, std::chrono::milliseconds deadline,
                      OpenCallback done) {
  const uint64_t id = ++last_;
  const uint64_t timer = timers_->CallAfter(deadline, [this, id] { DeadlinePassed(id); });
  of_segment_[segment].emplace(id, Waiter{.info = std::move(info),
                                          .done = std::move(done),
                                          .began = clock_->Now(),
                                          .timer = timer});
  segment_of_.emplace(id, segment);
  return id;
}

size_t Waiters::CountOf(uint64_t segment) const {
  const auto found = of_segment_.find(segment);
  return found == of_segment_.end() ? 0 : found->second.size();
}

std::optional<Waiters::Waiter> Waiters::Take(uint64_t id) {
  const auto found = segment_of_.find(id);
  if (found == segment_of_.end()) return std::nullopt;
  const auto waiters = of_segment_.find(found->second);
  const auto place = waiters->second.find(id);
  Waiter waiter = std::move(place->second);
  waiters->second.erase(place);
  if (waiters->second.empty()) of_segment_.erase(waiters);
  segment_of_.erase(found);
  timers_->Cancel(waiter.timer);
  return waiter;
}

Waiters::InOrder Waiters::TakeAllOf(uint64_t segment) {
  const auto found = of_segment_.find(segment);
  if (found == of_segment_.end()) return {};
  InOrder waiters = std::move(found->second);
  of_segment_.erase(found);
  for (const auto& [id, waiter] : waiters) {
    timers_->Cancel(waiter.timer);
    segment_of_.erase(id);
  }
  return waiters;
}

void Waiters::Cancel(uint64_t id) {
  const Turn turn(this);
  if (Take(id)) {
    ++counters_->cancelled;
    return;
  }
  // Answered, but not told yet. Taken out first: the end of its lease may add answers.
  const auto place = std::find_if(answers_.begin(), answers_.end(),
                                  [id](const Answer& other) { return other.waiter == id; });
  if (place == answers_.end()) return;
  const Answer dropped = std::move(*place);
  answers_.erase(place);
  ++counters_->cancelled;
}

void Waiters::DeadlinePassed(uint64_t id) {
  const Turn turn(this);
  std::optional<Waiter> waiter = Take(id);
  if (!waiter) return;
  ++counters_->deadline_exceeded;
  const auto waited = std::chrono::ceil<std::chrono::milliseconds>(clock_->Now() - waiter->began);
  Status status(StatusCode::kDeadlineExceeded,
                "model '" + waiter->info.reference + "' is not loaded yet after " +
                    std::to_string(waited.count()) + " ms; the load goes on",
                "open it again, or with a longer deadline");
  answers_.push_back({id, std::move(waiter->done), std::move(status)});
}

void Waiters::Serve(uint64_t segment, const std::function<Lease(OpenInfo info)>& grant) {
  const TimePoint now = clock_->Now();
  for (auto& [id, waiter] : TakeAllOf(segment)) {
    waiter.info.waited = std::chrono::duration_cast<std::chrono::microseconds>(now - waiter.began);
    answers_.push_back({id, std::move(waiter.done), grant(std::move(waiter.info))});
  }
}

void Waiters::Fail(uint64_t segment, const Status& why) {
  for (auto& [id, waiter] : TakeAllOf(segment)) {
    answers_.push_back({id, std::move(waiter.done), why});
  }
}

void Waiters::Deliver() {
  if (std::exchange(delivering_, true)) return;
  while (!answers_.empty()) {
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    answer.done(std::move(answer.result));
  }
  delivering_ = false;
}

}  // namespace trims
