// Counters: what a table of segments has done since the daemon started. docs/json.md gives their meaning.
// Loop only.
#ifndef TRIMS_RESIDENCY_COUNTERS_H_
#define TRIMS_RESIDENCY_COUNTERS_H_

#include <cstdint>

namespace trims {

struct Counters {
  uint64_t opens = 0;  // = hits + misses + joined + refused
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t joined = 0;
  uint64_t refused = 0;
  uint64_t deadline_exceeded = 0;
  uint64_t cancelled = 0;
  uint64_t loads = 0;
  uint64_t load_failures = 0;
  uint64_t load_us = 0;  // that the loads which ended well took together
  uint64_t bytes_loaded = 0;
  uint64_t taken_over = 0;  // segments that were resident in the daemon before
  uint64_t bytes_taken_over = 0;
  uint64_t evictions = 0;
  uint64_t bytes_evicted = 0;
  uint64_t reclaimed = 0;
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_COUNTERS_H_
