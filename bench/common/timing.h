// Time and placement for the measuring programs.
#ifndef TRIMS_BENCH_COMMON_TIMING_H_
#define TRIMS_BENCH_COMMON_TIMING_H_

#include <cstdint>

#include "trims/status.h"

namespace trims::bench {

// CLOCK_MONOTONIC in nanoseconds.
int64_t NowNs();

// What this process has used of the processors, in nanoseconds.
int64_t CpuNs();

// Sleeps until `when` of NowNs(); returns at once if it has passed. The caller's timer slack is the
// kernel's (50 µs) unless UsePreciseTimers() was called.
void SleepUntil(int64_t when);
void UsePreciseTimers();

// Offers the processor to whoever else is runnable on it, again and again for that long. Unlike a
// sleep it lets no processor fall into a deep sleep and no cache go cold.
void YieldFor(int64_t ns);

// Pins the calling thread, and what it starts later, to one processor. A negative `cpu` leaves it.
Status PinTo(int cpu);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_COMMON_TIMING_H_
