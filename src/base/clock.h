// Clock: monotonic time that a test can drive by hand.
#ifndef TRIMS_BASE_CLOCK_H_
#define TRIMS_BASE_CLOCK_H_

#include <chrono>
#include <cstdint>

namespace trims {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

inline std::chrono::microseconds InMicroseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration);
}

// Nobody waits longer, so that no sum overflows.
inline constexpr Duration kLongestWait = std::chrono::hours(24 * 365);

// Of the world's time, for what is written down.
inline int64_t UnixSecondsNow() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

inline int64_t UnixMicrosecondsNow() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
};

class SteadyClock final : public Clock {
 public:
  TimePoint Now() const override { return std::chrono::steady_clock::now(); }
};

// Stands still until told to move. Thread-safety: none.
class ManualClock final : public Clock {
 public:
  TimePoint Now() const override { return now_; }
  void Advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{std::chrono::hours(1)};
};

}  // namespace trims

#endif  // TRIMS_BASE_CLOCK_H_
