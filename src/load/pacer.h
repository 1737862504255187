// Pacer: holds work to a rate: whoever has done some waits until it was due.
//
//   Pacer pacer(uint64_t{200} << 20);  // bytes a second
//   pacer.Pace(chunk.size());          // on each of the threads that share the rate
//   pacer.Stop();                      // nobody waits any more
//
// Time that nobody used is not saved up: after a pause the rate is what it was.
// Thread-safety: safe.
#ifndef TRIMS_LOAD_PACER_H_
#define TRIMS_LOAD_PACER_H_

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace trims {

// When work that begins `now`, or once what was asked for before is due, is due itself.
constexpr TimePoint DueAt(TimePoint before, TimePoint now, uint64_t bytes,
                          uint64_t bytes_per_second) {
  const double seconds = static_cast<double>(bytes) / static_cast<double>(bytes_per_second);
  const auto takes = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  return (before > now ? before : now) + takes;
}

class Pacer {
 public:
  // 0: as fast as it goes.
  explicit Pacer(uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  void Pace(uint64_t bytes) {
    if (bytes_per_second_ == 0) return;
    MutexLock lock(mutex_);
    due_ = DueAt(due_, clock_.Now(), bytes, bytes_per_second_);
    const TimePoint mine = due_;
    while (!stopped_ && changed_.WaitUntil(mutex_, mine)) {
    }
  }

  void Stop() {
    MutexLock lock(mutex_);
    stopped_ = true;
    changed_.NotifyAll();
  }

 private:
  const uint64_t bytes_per_second_;
  SteadyClock clock_;
  Mutex mutex_;
  CondVar changed_;
  TimePoint due_ TRIMS_GUARDED_BY(mutex_){};
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;
};

}  // namespace trims

#endif  // TRIMS_LOAD_PACER_H_
