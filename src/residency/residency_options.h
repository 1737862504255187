// What a table of segments is told and what it needs. Thread-safety: values.
#ifndef TRIMS_RESIDENCY_RESIDENCY_OPTIONS_H_
#define TRIMS_RESIDENCY_RESIDENCY_OPTIONS_H_

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "residency/host_copy.h"
#include "residency/quota.h"
#include "store/tier_policy.h"

namespace trims {

class EventSink;
class PreparedStore;
class SegmentTable;
class Tier;
class TimerService;

struct ResidencyOptions {
  TierPolicy policy;  // what the table begins with
  std::chrono::milliseconds default_deadline{std::chrono::seconds(60)};
  // After repeated failures of one segment.
  std::chrono::milliseconds max_back_off{std::chrono::seconds(10)};
  // For so long bytes that others still have when the tier has let go of them count as being freed: whoever closes a
  // lease unmaps about then.
  std::chrono::milliseconds linger_after{std::chrono::seconds(1)};
  // What namespaces may take, of each tier by itself.
  Quotas quotas = {};
  // What was used so recently does not go for a newcomer, which is refused instead; zero: it does.
  std::chrono::milliseconds churn_guard{0};
  // What becomes of the copy beneath of what is filled from there.
  HostCopy host_copy = HostCopy::kKeep;
};

// All outlive the table.
struct ResidencyDependencies {
  const Clock* clock = nullptr;
  TimerService* timers = nullptr;
  Tier* tier = nullptr;
  // Keeps prepared files from being removed while a load may read them; nullptr: nobody removes any.
  PreparedStore* prepared = nullptr;
  // The tier that this one fills from; nullptr: from the files.
  SegmentTable* beneath = nullptr;
  EventSink* events = nullptr;  // nullptr: nobody hears of what it does
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_RESIDENCY_OPTIONS_H_
