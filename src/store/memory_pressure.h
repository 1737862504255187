// MemoryPressure: tells when programs stall for want of memory, as the kernel measures it (PSI): a trigger on
// memory.pressure of this process's control group, or on /proc/pressure/memory. Nothing is polled: the kernel makes the
// trigger's descriptor urgent, at most once in each window of two seconds.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto pressure,
//                          MemoryPressure::Watch(&loop.poller(), path, let_something_go));
//
// The poller outlives it. Thread-safety: loop only; FindPressureFile and CheckPressureFile from any thread.
#ifndef TRIMS_STORE_MEMORY_PRESSURE_H_
#define TRIMS_STORE_MEMORY_PRESSURE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "loop/fd_poller.h"

namespace trims {

// Some program stalls for a tenth of the time. Windows of whole two seconds are what the kernel lets users without
// privileges ask for.
inline constexpr char kPressureTrigger[] = "some 200000 2000000";

// The one that tells of this process's own group, else the machine's. `root` stands before the paths, for tests.
// UNIMPLEMENTED: the kernel has neither.
Result<std::string> FindPressureFile(const std::string& root = "");
// Whether this process may have a trigger on it.
Status CheckPressureFile(const std::string& path);

class MemoryPressure {
 public:
  // `stalled` for each event. `path` may also be a FIFO, for tests: each byte written to it is an event.
  // PERMISSION_DENIED, UNIMPLEMENTED and the like: no trigger can be had.
  static Result<std::unique_ptr<MemoryPressure>> Watch(FdPoller* poller, const std::string& path,
                                                       std::function<void()> stalled);
  ~MemoryPressure() { poller_->Remove(watch_); }
  MemoryPressure(const MemoryPressure&) = delete;
  MemoryPressure& operator=(const MemoryPressure&) = delete;

 private:
  MemoryPressure(FdPoller* poller, UniqueFd trigger, bool is_fifo, std::function<void()> stalled)
      : poller_(poller),
        trigger_(std::move(trigger)),
        is_fifo_(is_fifo),
        stalled_(std::move(stalled)) {}
  void OnReady(unsigned ready);

  FdPoller* const poller_;
  const UniqueFd trigger_;
  const bool is_fifo_;
  const std::function<void()> stalled_;
  uint64_t watch_ = 0;
};

// How many bytes go at one event: an eighth of the budget, but no more than lie above the floor.
constexpr uint64_t PressureStep(uint64_t used, uint64_t floor, uint64_t budget) {
  const uint64_t step = budget / 8 > 0 ? budget / 8 : 1;
  const uint64_t above = used > floor ? used - floor : 0;
  return step < above ? step : above;
}

}  // namespace trims

#endif  // TRIMS_STORE_MEMORY_PRESSURE_H_
