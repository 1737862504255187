#include "common/timing.h"

#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include <cerrno>
#include <string>

#include "base/errno_status.h"

namespace trims::bench {

namespace {
constexpr int64_t kNsPerSecond = 1'000'000'000;

int64_t Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}
}  // namespace

int64_t NowNs() { return Read(CLOCK_MONOTONIC); }

int64_t CpuNs() { return Read(CLOCK_PROCESS_CPUTIME_ID); }

void SleepUntil(int64_t when) {
  const timespec at{when / kNsPerSecond, when % kNsPerSecond};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

void UsePreciseTimers() { prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL); }

void YieldFor(int64_t ns) {
  const int64_t end = NowNs() + ns;
  while (NowNs() < end) sched_yield();
}

Status PinTo(int cpu) {
  if (cpu < 0) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    return ErrnoStatus("pin to processor " + std::to_string(cpu));
  }
  return {};
}

}  // namespace trims::bench
