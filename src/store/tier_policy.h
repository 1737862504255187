// TierPolicy: what decides in one tier about what stays: what a last lease's end does, which of those
// that nobody holds go for another, and which newcomers may push others out.
//
//   TRIMS_ASSIGN_OR_RETURN(const EvictionPolicy* gdsf, FindEvictionPolicy("gdsf"));
//   table.SetPolicy({.reclaim = Reclaim::kLazy, .eviction = gdsf});
//
// A value; the policies that it points to are rows of constant tables. docs/residency.md explains them.
#ifndef TRIMS_STORE_TIER_POLICY_H_
#define TRIMS_STORE_TIER_POLICY_H_

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "store/admission_policy.h"
#include "store/eviction_policy.h"

namespace trims {

// How long a segment outlives its last lease while nothing else needs its room.
struct Reclaim {
  static const Reclaim kEager;  // not at all
  static const Reclaim kLazy;   // for ever

  std::optional<std::chrono::milliseconds> after;  // none: for ever

  bool Keeps() const { return !after || after->count() > 0; }
  friend bool operator==(const Reclaim&, const Reclaim&) = default;
};
inline constexpr Reclaim Reclaim::kEager{.after = std::chrono::milliseconds(0)};
inline constexpr Reclaim Reclaim::kLazy{.after = std::nullopt};

// The longer of two.
Reclaim Longer(const Reclaim& a, const Reclaim& b);

std::string ReclaimText(const Reclaim& reclaim);    // "eager", "lazy", "10m"
std::string KeepAliveText(const Reclaim& reclaim);  // of one model: "0s", "forever", "10m"
// Those, or any other duration (ParseDuration).
Result<Reclaim> ParseReclaim(std::string_view text);

struct TierPolicy {
  Reclaim reclaim = Reclaim::kLazy;
  const EvictionPolicy* eviction = DefaultEvictionPolicy();
  const AdmissionPolicy* admission = DefaultAdmissionPolicy();

  // What becomes of a segment that has no reclaim of its own: an eager eviction policy keeps none either.
  Reclaim ReclaimOfAny() const { return eviction->keeps ? reclaim : Reclaim::kEager; }
  // Whether one outlives its last lease.
  bool Keeps() const { return ReclaimOfAny().Keeps(); }

  friend bool operator==(const TierPolicy&, const TierPolicy&) = default;
};

// What was said of one content, which may have several names.
struct OwnReclaim {
  Reclaim reclaim;
  bool or_by_policy = false;  // the longer of both: of one of its names nothing was said

  Reclaim In(const TierPolicy& policy) const {
    return or_by_policy ? Longer(reclaim, policy.ReclaimOfAny()) : reclaim;
  }
};

}  // namespace trims

#endif  // TRIMS_STORE_TIER_POLICY_H_
