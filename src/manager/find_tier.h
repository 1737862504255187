// The tiers of a manager, and the one that a name means.
//
// Thread-safety: loop only.
#ifndef TRIMS_MANAGER_FIND_TIER_H_
#define TRIMS_MANAGER_FIND_TIER_H_

#include <memory>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "residency/segment_table.h"

namespace trims {

using Tiers = std::vector<std::unique_ptr<SegmentTable>>;  // from the lowest up

// Empty: the host's memory. NOT_FOUND, with those that there are.
Result<SegmentTable*> FindTier(const Tiers& tiers, std::string_view name);

}  // namespace trims

#endif  // TRIMS_MANAGER_FIND_TIER_H_
