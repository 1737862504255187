#include "loop/timer_queue.h"

#include <sys/timerfd.h>

#include <algorithm>

#include "base/errno_status.h"

namespace trims {
namespace {

timespec SinceEpoch(TimePoint when) {
  const Duration since = when.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  return {.tv_sec = seconds.count(), .tv_nsec = (since - seconds).count()};
}

}  // namespace

Result<std::unique_ptr<TimerQueue>> TimerQueue::Create() {
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return ErrnoStatus("making a timerfd");
  return std::unique_ptr<TimerQueue>(new TimerQueue(std::move(timer)));
}

uint64_t TimerQueue::Add(Duration delay, std::function<void()> call) {
  const TimePoint when = clock_.Now() + std::clamp(delay, Duration::zero(), kLongestWait);
  const uint64_t id = next_++;
  calls_.emplace(Key{when, id}, std::move(call));
  due_.emplace(id, when);
  if (when < armed_) Arm(when);
  return id;
}

// The timerfd stays as it is: at worst it finds nothing due once.
void TimerQueue::Cancel(uint64_t id) {
  const auto found = due_.find(id);
  if (found == due_.end()) return;
  const auto entry = calls_.extract(Key{found->second, id});
  due_.erase(found);
}

void TimerQueue::RunDue() {
  const TimePoint now = clock_.Now();
  while (!calls_.empty() && calls_.begin()->first.first <= now) {
    const auto entry = calls_.extract(calls_.begin());
    due_.erase(entry.key().second);
    entry.mapped()();
  }
  Arm(calls_.empty() ? TimePoint::max() : calls_.begin()->first.first);
}

// Setting it, to never as well, takes back that it was readable.
void TimerQueue::Arm(TimePoint when) {
  armed_ = when;
  itimerspec time = {};
  if (when != TimePoint::max()) time.it_value = SinceEpoch(when);
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &time, nullptr);
}

}  // namespace trims
