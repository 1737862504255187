// TimerService: calls that the event loop makes after a while.
//
// The event loop is one; tests bring one that fires while a manual clock is moved. Thread-safety:
// loop only.
#ifndef TRIMS_LOOP_TIMER_SERVICE_H_
#define TRIMS_LOOP_TIMER_SERVICE_H_

#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace trims {

class TimerService {
 public:
  virtual ~TimerService() = default;
  // Never 0. A delay that is not positive is due at once, but never inside this call.
  virtual uint64_t CallAfter(Duration delay, std::function<void()> call) = 0;
  // No-op for one that has fired, and for 0.
  virtual void Cancel(uint64_t id) = 0;
};

}  // namespace trims

#endif  // TRIMS_LOOP_TIMER_SERVICE_H_
