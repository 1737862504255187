#include "store/eviction_policy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

namespace trims {
namespace {

double LruRank(const EvictionCandidate& candidate, const EvictionContext&) {
  return static_cast<double>(candidate.last_used.time_since_epoch().count());
}

constexpr EvictionPolicy kPolicies[] = {
    {"never", "none goes; the open is refused", nullptr},
    {"lru", "the one that was used longest ago goes first", LruRank},
};
constexpr const EvictionPolicy* kDefault = &kPolicies[1];

struct Ranked {
  Victim victim;
  uint64_t bytes = 0;
};

std::vector<Ranked> LowestFirst(const EvictionPolicy& policy,
                                std::span<const EvictionCandidate> candidates,
                                const EvictionContext& context) {
  std::vector<Ranked> ranked;
  ranked.reserve(candidates.size());
  for (const EvictionCandidate& candidate : candidates) {
    if (candidate.bytes == 0) continue;
    double rank = policy.rank(candidate, context);
    // Not a number has no place in an order, and sorting by it would be undefined.
    if (std::isnan(rank)) rank = std::numeric_limits<double>::max();
    ranked.push_back({{candidate.segment, rank}, candidate.bytes});
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    return std::tie(a.victim.rank, a.victim.segment) < std::tie(b.victim.rank, b.victim.segment);
  });
  return ranked;
}

}  // namespace

std::span<const EvictionPolicy> EvictionPolicies() { return kPolicies; }

const EvictionPolicy* DefaultEvictionPolicy() { return kDefault; }

std::string EvictionPolicyNames() {
  std::string names;
  for (const EvictionPolicy& policy : kPolicies) {
    if (!names.empty()) names += ", ";
    names += policy.name;
  }
  return names;
}

Result<const EvictionPolicy*> FindEvictionPolicy(std::string_view name) {
  for (const EvictionPolicy& policy : kPolicies) {
    if (policy.name == name) return &policy;
  }
  return Status(StatusCode::kInvalidArgument,
                "there is no eviction policy '" + std::string(name) + "'",
                "use one of " + EvictionPolicyNames());
}

std::vector<Victim> ChooseVictims(const EvictionPolicy& policy,
                                  std::span<const EvictionCandidate> candidates, uint64_t needed,
                                  const EvictionContext& context) {
  if (policy.rank == nullptr || needed == 0) return {};
  std::vector<Victim> victims;
  for (const Ranked& next : LowestFirst(policy, candidates, context)) {
    victims.push_back(next.victim);
    needed -= std::min(needed, next.bytes);
    if (needed == 0) return victims;
  }
  return {};  // all together free too little
}

}  // namespace trims
