// Replays: what a trace costs in loads under a policy, through the code by which the daemon decides.
#ifndef TRIMS_BENCH_POLICY_REPLAY_H_
#define TRIMS_BENCH_POLICY_REPLAY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "policy/paper_models.h"
#include "policy/traces.h"
#include "store/tier_policy.h"

namespace trims::bench {

struct ReplayCost {
  double seconds = 0;  // of loading
  size_t loads = 0;
};

// Each open ends before the next. A model larger than the budget is refused under every
// policy and counts for none; an open that a policy refuses (`never`) is loaded for itself alone.
ReplayCost CostOf(const TierPolicy& policy, const std::vector<PaperModel>& models,
                  const Trace& trace, uint64_t budget);

// The seconds of one that knows the future: what goes is that whose reload cost by its size and the
// distance to its next open is the least. Sizes differ, so it is the usual near-optimum and no proof.
double OptimumSeconds(const std::vector<PaperModel>& models, const Trace& trace, uint64_t budget);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_POLICY_REPLAY_H_
