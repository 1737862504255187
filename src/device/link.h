// Link: how long bytes take on a modelled wire.
//
// One transfer goes at a time, as on a device with one copy engine: a second one begins when the first has left
// the wire. A transfer has arrived one latency after its last byte has left.
//
//   Link link({.bytes_per_second = 12'000'000'000, .latency = std::chrono::microseconds(10)});
//   const TimePoint arrived = link.Carry(bytes, clock.Now());
//
// Thread-safety: safe.
#ifndef TRIMS_DEVICE_LINK_H_
#define TRIMS_DEVICE_LINK_H_

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/mutex.h"

namespace trims {

struct LinkModel {
  uint64_t bytes_per_second = 0;  // 0: no limit
  std::chrono::microseconds latency{0};
};

class Link {
 public:
  explicit Link(const LinkModel& model) : model_(model) {}

  // When the transfer that begins now, or when the wire is free, will have arrived.
  TimePoint Carry(uint64_t bytes, TimePoint now) {
    MutexLock lock(mutex_);
    free_at_ = std::max(free_at_, now) + TimeOf(bytes);
    return free_at_ + model_.latency;
  }

 private:
  Duration TimeOf(uint64_t bytes) const {
    if (model_.bytes_per_second == 0) return Duration::zero();
    const double seconds =
        static_cast<double>(bytes) / static_cast<double>(model_.bytes_per_second);
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  }

  const LinkModel model_;
  Mutex mutex_;
  TimePoint free_at_ TRIMS_GUARDED_BY(mutex_);
};

}  // namespace trims

#endif  // TRIMS_DEVICE_LINK_H_
