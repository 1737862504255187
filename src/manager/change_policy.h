// ChangePolicy: what decides in a tier about what stays, changed while it runs.
//
// Thread-safety: loop only.
#ifndef TRIMS_MANAGER_CHANGE_POLICY_H_
#define TRIMS_MANAGER_CHANGE_POLICY_H_

#include <cstdint>
#include <string_view>

#include "trims/status.h"

#include "events/event.h"
#include "manager/choose_tier.h"
#include "manager/snapshot.h"
#include "wire/principal.h"

namespace trims {

// The texts end with the call.
struct PolicyWishes {
  std::string_view tier;  // empty: the host's memory
  std::string_view eviction;
  std::string_view admission;
  std::string_view reclaim;
  std::string_view budget;  // "8GiB", or "50%" of what the tier has
  // "team-a:bytes=8GiB", or "team-a:none": of a namespace in every tier, whose name is empty then.
  std::string_view quota = {};
};

// "8GiB", or "50%" of the capacity. INVALID_ARGUMENT: another text, or none at all.
Result<uint64_t> ParseBudget(std::string_view text, uint64_t capacity);

// Manager::ChangePolicy.
Result<TierSnapshot> ChangePolicy(const wire::Principal& principal, const PolicyWishes& wishes,
                                  const Tiers& tiers, EventSink* events);

}  // namespace trims

#endif  // TRIMS_MANAGER_CHANGE_POLICY_H_
