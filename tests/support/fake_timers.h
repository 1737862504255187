// FakeTimers: a timer service that a test drives by hand.
#ifndef TRIMS_TESTS_SUPPORT_FAKE_TIMERS_H_
#define TRIMS_TESTS_SUPPORT_FAKE_TIMERS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "base/clock.h"
#include "loop/timer_service.h"

namespace trims::test {

// Timers that fire while the clock is moved.
class FakeTimers final : public TimerService {
 public:
  explicit FakeTimers(ManualClock* clock) : clock_(clock) {}
  uint64_t CallAfter(Duration delay, std::function<void()> call) override {
    pending_[++last_] = {clock_->Now() + delay, std::move(call)};
    return last_;
  }
  void Cancel(uint64_t id) override { pending_.erase(id); }

  void Advance(Duration by) {
    clock_->Advance(by);
    for (bool fired = true; fired;) {
      fired = false;
      for (auto& [id, timer] : pending_) {
        if (timer.first > clock_->Now()) continue;
        const std::function<void()> call = std::move(timer.second);
        pending_.erase(id);
        call();
        fired = true;
        break;
      }
    }
  }
  size_t pending() const { return pending_.size(); }

 private:
  ManualClock* const clock_;
  uint64_t last_ = 0;
  std::map<uint64_t, std::pair<TimePoint, std::function<void()>>> pending_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_FAKE_TIMERS_H_
