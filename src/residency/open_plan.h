// OpenPlan: what an open of an image would come to in a tier, were it made now. Asking changes nothing.
//
// Thread-safety: values.
#ifndef TRIMS_RESIDENCY_OPEN_PLAN_H_
#define TRIMS_RESIDENCY_OPEN_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/progress.h"
#include "trims/status.h"

#include "base/clock.h"
#include "residency/segment_state.h"

namespace trims {

// One that would go for it.
struct PlannedVictim {
  std::string reference;
  Variant kind = Variant::kFiles;
  uint64_t bytes = 0;
  double score = 0;         // by the tier's eviction policy: the lowest goes first
  std::string_view reason;  // "room"; "quota": its namespace would have too much
};

struct OpenPlan {
  std::string tier;
  std::string key;  // of the image's content
  SegmentState state = SegmentState::kAbsent;
  uint64_t bytes = 0;          // that it takes of the tier
  uint64_t missing_bytes = 0;  // of these: what is neither there nor on its way
  uint64_t leases = 0;
  size_t waiters = 0;
  bool pinned = false;
  std::optional<LoadProgress> load;  // of one that is on its way
  Duration reload_time{0};           // as the policies reckon with it; 0: it was never loaded here
  std::string_view eviction_policy;
  std::vector<PlannedVictim> victims;  // in the order in which they would go
  Status refused;                      // why it could not be had
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_OPEN_PLAN_H_
