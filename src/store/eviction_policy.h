// Eviction policies: in which order the segments of a tier that nobody holds give up their room.
// A policy only ranks; EvictionOrder does the rest for all of them.
//
//   TRIMS_ASSIGN_OR_RETURN(const EvictionPolicy* policy, FindEvictionPolicy("lru"));
//   const double rank = policy->rank(candidate);
//
// Pure: no clock, no memory between calls, no side effect. What a policy needs to know beyond one
// segment comes with the snapshot, in EvictionCandidate, as it was when the segment was used last, and
// is kept by whoever makes it (Evictor). So a segment's rank stands still while nobody uses it, the order of
// all is kept and never made anew, and the same snapshot always gives the same decision. A policy is
// one function and one row of the table in eviction_policy.cc. Names are those of the paper's server where
// it had one ("never", "lru", "fifo", "lcu", "flush", "eager").
#ifndef TRIMS_STORE_EVICTION_POLICY_H_
#define TRIMS_STORE_EVICTION_POLICY_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "base/clock.h"
#include "store/use_frequency.h"
#include "store/use_history.h"

namespace trims {

// One segment of a tier, and its use.
struct EvictionCandidate {
  uint64_t segment = 0;           // the owner's id; no two are the same
  uint64_t bytes = 0;             // what evicting it frees
  TimePoint resident_since;       // when its load ended
  TimePoint last_used;            // when its last lease ended, or when it became resident
  uint64_t opens = 0;             // served since it is resident
  Duration reload_time{};         // what it takes to bring it in, as UseHistory has it
  bool admitted = true;           // false: it goes before all that are, whatever they rank
  double frequency = kNeverUsed;  // fading, across residences
  UseHistory history;             // of its earlier residences, as far as it is remembered

  // The tier, when the segment was opened last.
  double age_at_last_use = 0;  // the highest rank evicted so far: policies with ageing add it
  uint64_t loaded_as = 0;      // how many loads there had been when it came, itself included
  uint64_t residents_at_last_use = 0;
};

// The lower, the sooner it goes.
using EvictionRank = double (*)(const EvictionCandidate&);

struct EvictionPolicy {
  std::string_view name;     // of --eviction, status and docs
  std::string_view summary;  // the same sentence in the docs
  EvictionRank rank;         // nullptr: nothing is given up
  bool keeps = true;         // false: nothing outlives its last lease
  bool takes_all = false;    // where room is needed, all that may go does
  // Those on probation go first while they hold more than kProbationShare of what may go, and else
  // last; nullptr: none is.
  bool (*on_probation)(const EvictionCandidate&) = nullptr;
};

inline constexpr double kProbationShare = 0.1;

std::span<const EvictionPolicy> EvictionPolicies();
const EvictionPolicy* DefaultEvictionPolicy();
// INVALID_ARGUMENT names those there are.
Result<const EvictionPolicy*> FindEvictionPolicy(std::string_view name);
std::string EvictionPolicyNames();  // "never, lru, …"

}  // namespace trims

#endif  // TRIMS_STORE_EVICTION_POLICY_H_
