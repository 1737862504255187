// What a table of segments is told and what it needs. Thread-safety: values.
#ifndef TRIMS_RESIDENCY_RESIDENCY_OPTIONS_H_
#define TRIMS_RESIDENCY_RESIDENCY_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace trims {

class EvictionPolicy;
class Loader;
class TimerService;

// What the end of a segment's last lease does: free it now, or keep it until the room is needed.
enum class Reclaim { kEager, kLazy };

struct ResidencyOptions {
  uint64_t host_budget = 0;   // bytes
  std::string prepared_root;  // absolute folder of the prepared models, which loads read from
  Reclaim reclaim = Reclaim::kLazy;
  std::chrono::milliseconds default_deadline{std::chrono::seconds(60)};
  // After repeated failures of one segment.
  std::chrono::milliseconds max_back_off{std::chrono::seconds(10)};
};

// All outlive the table.
struct ResidencyDependencies {
  const Clock* clock = nullptr;
  TimerService* timers = nullptr;
  Loader* loader = nullptr;
  const EvictionPolicy* eviction = nullptr;
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_RESIDENCY_OPTIONS_H_
