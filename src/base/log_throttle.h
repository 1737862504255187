// LogThrottle: how many lines of one kind a second may have, so that whoever can cause them can't
// fill the disk.
//
//   LogThrottle throttle(&clock, 10);
//   if (throttle.Admit()) LogWarning("connection.violation", …);
//   …
//   LogWarning("connection.violations_suppressed", {{"count", throttle.TakeSuppressed()}});
//
// A second begins with the first line after the last one's end. It writes nothing itself.
// Ownership: the clock outlives it. Thread-safety: none.
#ifndef TRIMS_BASE_LOG_THROTTLE_H_
#define TRIMS_BASE_LOG_THROTTLE_H_

#include <cstdint>
#include <utility>

#include "base/clock.h"

namespace trims {

class LogThrottle {
 public:
  LogThrottle(const Clock* clock, uint64_t per_second) : clock_(clock), per_second_(per_second) {}

  // Whether the next line may be written. If not, it counts as suppressed.
  bool Admit() {
    const TimePoint now = clock_->Now();
    if (admitted_ == 0 || now - began_ >= std::chrono::seconds(1)) {
      began_ = now;
      admitted_ = 0;
    }
    if (admitted_ >= per_second_) {
      ++suppressed_;
      return false;
    }
    ++admitted_;
    return true;
  }

  // How many were since the last call.
  uint64_t TakeSuppressed() { return std::exchange(suppressed_, 0); }

 private:
  const Clock* const clock_;
  const uint64_t per_second_;
  TimePoint began_{};
  uint64_t admitted_ = 0;  // since began_
  uint64_t suppressed_ = 0;
};

}  // namespace trims

#endif  // TRIMS_BASE_LOG_THROTTLE_H_
