// Eviction policies: in which order the segments of a tier that nobody holds give up their room.
// A policy only ranks; ChooseVictims does the rest for all of them.
//
//   TRIMS_ASSIGN_OR_RETURN(const EvictionPolicy* policy, FindEvictionPolicy("lru"));
//   std::vector<Victim> victims = ChooseVictims(*policy, candidates, needed, context);
//   if (victims.empty()) return NoRoom();
//
// Pure: no clock, no memory between calls, no side effect. What a policy needs to know beyond one
// segment comes with the snapshot, in EvictionCandidate or EvictionContext, and is kept by whoever
// makes it; so the same snapshot always gives the same decision, and a policy is one function and
// one row of the table in eviction_policy.cc. Names are those of the paper's server where it had
// one ("never", "lru").
#ifndef TRIMS_STORE_EVICTION_POLICY_H_
#define TRIMS_STORE_EVICTION_POLICY_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"
#include "store/use_history.h"

namespace trims {

// One segment that may be evicted: resident, without leases.
struct EvictionCandidate {
  uint64_t segment = 0;        // the owner's id; no two are the same
  uint64_t bytes = 0;          // what evicting it frees
  TimePoint resident_since;    // when its load ended
  TimePoint last_used;         // when its last lease ended, or when it became resident
  uint64_t opens = 0;          // served since it is resident
  Duration load_time{};        // what it took to bring it in, measured
  double age_at_last_use = 0;  // EvictionContext::age when it was opened last
  UseHistory history;          // of its earlier residences, as far as it is remembered
};

struct EvictionContext {
  TimePoint now;
  // The highest rank evicted so far, which policies with ageing add to their ranks so that what was
  // popular once does not stay for ever.
  double age = 0;
};

// The lower, the sooner it goes.
using EvictionRank = double (*)(const EvictionCandidate&, const EvictionContext&);

struct EvictionPolicy {
  std::string_view name;     // of --eviction, status and docs
  std::string_view summary;  // the same sentence in the docs
  EvictionRank rank;         // nullptr: nothing is given up
};

std::span<const EvictionPolicy> EvictionPolicies();
const EvictionPolicy* DefaultEvictionPolicy();
// INVALID_ARGUMENT names those there are.
Result<const EvictionPolicy*> FindEvictionPolicy(std::string_view name);
std::string EvictionPolicyNames();  // "never, lru"

struct Victim {
  uint64_t segment = 0;
  double rank = 0;

  friend bool operator==(const Victim&, const Victim&) = default;
};

// Those that rank lowest, in order, no more than needed; of equal rank the one with the lower id
// first. Together they free `needed` bytes, or there are none and nothing is to be evicted: a policy
// can't give up too little. Candidates that free nothing are spared; a rank that is not a number
// counts as the highest there is.
std::vector<Victim> ChooseVictims(const EvictionPolicy& policy,
                                  std::span<const EvictionCandidate> candidates, uint64_t needed,
                                  const EvictionContext& context);

}  // namespace trims

#endif  // TRIMS_STORE_EVICTION_POLICY_H_
