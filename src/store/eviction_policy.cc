#include "store/eviction_policy.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/named_rows.h"

namespace trims {
namespace {

double LruRank(const EvictionCandidate& candidate) {
  return static_cast<double>(candidate.last_used.time_since_epoch().count());
}

double FifoRank(const EvictionCandidate& candidate) {
  return static_cast<double>(candidate.resident_since.time_since_epoch().count());
}

double Opens(const EvictionCandidate& candidate) {
  return static_cast<double>(candidate.opens + candidate.history.opens);
}

double Bytes(const EvictionCandidate& candidate) {
  return static_cast<double>(std::max<uint64_t>(candidate.bytes, 1));
}

// A clock too coarse for a load must not make it worthless.
double ReloadSeconds(const EvictionCandidate& candidate) {
  constexpr Duration kLeast = std::chrono::microseconds(1);
  return std::chrono::duration<double>(std::max(candidate.reload_time, kLeast)).count();
}

// GreedyDual-Size-Frequency: what was opened while much had gone already starts from there, so
// that what was popular once does not stay for ever.
double GdsfRank(const EvictionCandidate& candidate) {
  return candidate.age_at_last_use + Opens(candidate) * ReloadSeconds(candidate) / Bytes(candidate);
}

// What the queues of S3-FIFO come to: opens beyond the first, three at most, are a pass through the
// main queue each, and one pass is as many loads as there are residents.
double S3FifoRank(const EvictionCandidate& candidate) {
  constexpr uint64_t kMostPasses = 3;
  const uint64_t passes = std::min(std::max<uint64_t>(candidate.opens, 1) - 1, kMostPasses);
  return static_cast<double>(candidate.loaded_as + passes * candidate.residents_at_last_use);
}

// New, opened once, and not remembered from before.
bool S3FifoProbation(const EvictionCandidate& candidate) {
  return candidate.opens < 2 && candidate.history.evictions == 0;
}

// The logarithm of frequency × reload time ÷ size^0.89. By the size itself a byte is kept where it saves the most seconds, which
// is right if room can be had by the byte. It can't: a large one that goes for a small newcomer costs all its reload and
// leaves a hole. By much less than the size, a few large ones keep many small ones out.
double WorthRank(const EvictionCandidate& candidate) {
  constexpr double kSizeExponent = 0.89;  // docs/residency.md
  return candidate.frequency + std::log2(ReloadSeconds(candidate)) -
         kSizeExponent * std::log2(Bytes(candidate));
}

constexpr EvictionPolicy kPolicies[] = {
    {"worth", "the one goes first whose fading frequency × reload time ÷ size^0.89 is the least",
     WorthRank},
    {"never", "none goes; the open is refused", nullptr},
    {"lru", "the one that was used longest ago goes first", LruRank},
    {"fifo", "the one that came first goes first, however it is used", FifoRank},
    {"lcu",
     "the least commonly used goes first: the one with the fewest opens, earlier ones included",
     Opens},
    {.name = "flush",
     .summary = "all that nobody holds go as soon as any room is needed",
     .rank = LruRank,
     .takes_all = true},
    {.name = "eager",
     .summary = "none is kept beyond its last lease, as with --reclaim eager",
     .rank = LruRank,
     .keeps = false},
    {"gdsf",
     "the one goes first whose opens × reload time ÷ size is the least, counted from what went "
     "before its last use",
     GdsfRank},
    {.name = "s3fifo",
     .summary =
         "first in, first out in two queues: new ones that are opened once go by a small one, "
         "others get up to three more passes",
     .rank = S3FifoRank,
     .on_probation = S3FifoProbation},
};
constexpr const EvictionPolicy* kDefault = &kPolicies[0];

}  // namespace

std::span<const EvictionPolicy> EvictionPolicies() { return kPolicies; }

const EvictionPolicy* DefaultEvictionPolicy() { return kDefault; }

std::string EvictionPolicyNames() { return NamesOf(EvictionPolicies()); }

Result<const EvictionPolicy*> FindEvictionPolicy(std::string_view name) {
  return FindNamed(EvictionPolicies(), name, "eviction policy");
}

}  // namespace trims
