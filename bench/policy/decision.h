// Decisions: how long the policy code takes to make room for a newcomer, and for a lease.
#ifndef TRIMS_BENCH_POLICY_DECISION_H_
#define TRIMS_BENCH_POLICY_DECISION_H_

#include <cstddef>

#include "store/tier_policy.h"

namespace trims::bench {

struct DecisionTimes {
  double decision_us = 0;  // who goes for a newcomer, their going, and its coming: the mean
  double lease_us = 0;     // one is leased and given back
};

DecisionTimes TimeDecisions(const TierPolicy& policy, size_t residents, size_t rounds);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_POLICY_DECISION_H_
