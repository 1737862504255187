#include "residency/waiters.h"

#include <string>
#include <utility>
#include <vector>

namespace trims {
namespace {

constexpr uint64_t kNoTimer = 0;  // cancelling it does nothing

}  // namespace

Waiters::~Waiters() { Silence(); }

void Waiters::Silence() {
  ++depth_;  // no Turn is the outermost one any more
  after_turn_ = nullptr;
  segment_of_.clear();
  // Taken out first: the end of a callback may end what it holds, and that may be another wait.
  const auto waiting = std::exchange(of_segment_, {});
  answer_of_.clear();
  const auto answers = std::exchange(answers_, {});
  for (const auto& [segment, waiters] : waiting) {
    for (const auto& [id, waiter] : waiters) timers_->Cancel(waiter.timer);
  }
}

uint64_t Waiters::Add(uint64_t segment, ImagePtr image, std::chrono::milliseconds deadline,
                      OpenCallback done, Charge charge) {
  const uint64_t id = ++last_;
  const uint64_t timer = deadline == kNoDeadline
                             ? kNoTimer
                             : timers_->CallAfter(deadline, [this, id] { DeadlinePassed(id); });
  of_segment_[segment].emplace(id, Waiter{.image = std::move(image),
                                          .done = std::move(done),
                                          .began = clock_->Now(),
                                          .timer = timer,
                                          .charge = std::move(charge)});
  segment_of_.emplace(id, segment);
  return id;
}

size_t Waiters::CountOf(uint64_t segment) const {
  const auto found = of_segment_.find(segment);
  return found == of_segment_.end() ? 0 : found->second.size();
}

uint64_t Waiters::SegmentOf(uint64_t id) const {
  const auto found = segment_of_.find(id);
  return found == segment_of_.end() ? 0 : found->second;
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
  if (const std::optional<Waiter> waiter = Take(id)) {
    counters_->cancelled += waiter->timer != kNoTimer ? 1 : 0;  // else it was no client's
    return;
  }
  // Answered, but not told yet. Taken out first: the end of its lease may add answers.
  const auto found = answer_of_.find(id);
  if (found == answer_of_.end()) return;
  const Answer dropped = std::move(*found->second);
  answers_.erase(found->second);
  answer_of_.erase(found);
  ++counters_->cancelled;
}

void Waiters::DeadlinePassed(uint64_t id) {
  const Turn turn(this);
  std::optional<Waiter> waiter = Take(id);
  if (!waiter) return;
  ++counters_->deadline_exceeded;
  const auto waited = std::chrono::ceil<std::chrono::milliseconds>(clock_->Now() - waiter->began);
  Status status(StatusCode::kDeadlineExceeded,
                "model '" + waiter->image->reference + "' is not loaded yet after " +
                    std::to_string(waited.count()) + " ms; the load goes on",
                "open it again, or with a longer deadline");
  Answered(id, std::move(waiter->done), std::move(status));
}

void Waiters::Serve(uint64_t segment, const GrantLease& grant) {
  const TimePoint now = clock_->Now();
  for (auto& [id, waiter] : TakeAllOf(segment)) {
    const auto waited = std::chrono::duration_cast<std::chrono::microseconds>(now - waiter.began);
    Answered(id, std::move(waiter.done), grant(std::move(waiter.image), {.waited = waited}));
  }
}

void Waiters::Fail(uint64_t segment, const Status& why) {
  for (auto& [id, waiter] : TakeAllOf(segment)) {
    Answered(id, std::move(waiter.done), why);
  }
}

ImagePtr Waiters::FailThoseOf(uint64_t segment, const ImagePtr& image, const Status& why) {
  const auto found = of_segment_.find(segment);
  if (found == of_segment_.end()) return nullptr;
  std::vector<uint64_t> failed;
  ImagePtr other;
  for (const auto& [id, waiter] : found->second) {
    if (waiter.image == image) {
      failed.push_back(id);
    } else if (other == nullptr) {
      other = waiter.image;
    }
  }
  for (const uint64_t id : failed) Answered(id, std::move(Take(id)->done), why);
  return other;
}

void Waiters::Answered(uint64_t id, OpenCallback done, Result<Lease> result) {
  answer_of_[id] = answers_.insert(answers_.end(), Answer{id, std::move(done), std::move(result)});
}

void Waiters::Deliver() {
  if (std::exchange(delivering_, true)) return;
  while (!answers_.empty()) {
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    answer_of_.erase(answer.waiter);
    answer.done(std::move(answer.result));
  }
  delivering_ = false;
  if (after_turn_) after_turn_();
}

}  // namespace trims
