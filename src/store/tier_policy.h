// TierPolicy: what decides in one tier about what stays: what a last lease's end does, which of those
// that nobody holds go for another, and which newcomers may push others out.
//
//   TRIMS_ASSIGN_OR_RETURN(const EvictionPolicy* gdsf, FindEvictionPolicy("gdsf"));
//   table.SetPolicy({.reclaim = Reclaim::kLazy, .eviction = gdsf});
//
// A value; the policies that it points to are rows of constant tables. docs/residency.md explains them.
#ifndef TRIMS_STORE_TIER_POLICY_H_
#define TRIMS_STORE_TIER_POLICY_H_

#include <string_view>

#include "trims/status.h"

#include "store/admission_policy.h"
#include "store/eviction_policy.h"

namespace trims {

// What the end of a segment's last lease does: free it now, or keep it until the room is needed.
enum class Reclaim { kEager, kLazy };

std::string_view ReclaimName(Reclaim reclaim);  // "eager", "lazy"
Result<Reclaim> ParseReclaim(std::string_view name);

struct TierPolicy {
  Reclaim reclaim = Reclaim::kLazy;
  const EvictionPolicy* eviction = DefaultEvictionPolicy();
  const AdmissionPolicy* admission = DefaultAdmissionPolicy();

  // Whether a segment outlives its last lease: neither the reclaim nor the eviction policy is eager.
  bool Keeps() const { return reclaim == Reclaim::kLazy && eviction->keeps; }

  friend bool operator==(const TierPolicy&, const TierPolicy&) = default;
};

}  // namespace trims

#endif  // TRIMS_STORE_TIER_POLICY_H_
