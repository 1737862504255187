// TimerQueue: calls that are due at a time, behind one timerfd.
//
//   const uint64_t id = timers->Add(std::chrono::seconds(1), [] { … });
//   timers->RunDue();               // once fd() is readable
//
// A timerfd rather than epoll_wait's timeout: it counts in nanoseconds, and an event loop with
// requests to serve does not look at the time for it. Ownership: calls that have not run when it
// goes are destroyed without running. Thread-safety: loop only.
#ifndef TRIMS_LOOP_TIMER_QUEUE_H_
#define TRIMS_LOOP_TIMER_QUEUE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "trims/status.h"

#include "base/clock.h"
#include "base/unique_fd.h"

namespace trims {

class TimerQueue {
 public:
  static Result<std::unique_ptr<TimerQueue>> Create();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  // Never 0. A delay that is not positive is due at once; calls due at one time run in the order in
  // which they were added.
  uint64_t Add(Duration delay, std::function<void()> call);
  // No-op for one that has run.
  void Cancel(uint64_t id);
  // In the order of their times. Calls may add and cancel.
  void RunDue();

  int fd() const { return timer_.get(); }

 private:
  using Key = std::pair<TimePoint, uint64_t>;  // when, id

  explicit TimerQueue(UniqueFd timer) : timer_(std::move(timer)) {}
  void Arm(TimePoint when);

  const UniqueFd timer_;
  const SteadyClock clock_;
  uint64_t next_ = 1;
  std::map<Key, std::function<void()>> calls_;
  std::unordered_map<uint64_t, TimePoint> due_;
  TimePoint armed_ = TimePoint::max();  // no call is due before it
};

}  // namespace trims

#endif  // TRIMS_LOOP_TIMER_QUEUE_H_
