#include "store/evictor.h"

#include <algorithm>

namespace trims {
namespace {

// What runs beside a load makes it longer, and nothing makes it shorter than it takes: a shorter one is believed
// sooner.
Duration Settled(Duration known, Duration measured) {
  constexpr int kShorter = 2;
  constexpr int kLonger = 8;
  return known + (measured - known) / (measured < known ? kShorter : kLonger);
}

}  // namespace

void Evictor::SetPolicy(const TierPolicy& policy) {
  if (policy.eviction != policy_.eviction) age_ = 0;
  policy_ = policy;
  order_ = EvictionOrder(policy.eviction);
}

void Evictor::TakeOver(const TierPolicy& before, EvictionCandidate* use) const {
  if (policy_.eviction != before.eviction) use->age_at_last_use = 0;
  if (policy_.admission != before.admission) use->admitted = true;
}

void Evictor::Entered(const std::string& key, TimePoint now, Duration load_time,
                      EvictionCandidate* use) {
  const UseHistory history = histories_.Take(key);
  const bool known = history.reload_time > Duration::zero();
  ++residents_;
  use->resident_since = use->last_used = now;
  use->opens = 0;
  use->reload_time = known ? Settled(history.reload_time, load_time) : load_time;
  use->frequency = history.frequency;
  use->history = history;
  use->age_at_last_use = age_;
  use->loaded_as = ++loads_;
  use->residents_at_last_use = residents_;
}

void Evictor::Opened(EvictionCandidate* use) {
  clock_.Tick(residents_ + histories_.size());
  use->frequency = AddUse(use->frequency, clock_.now());
  use->age_at_last_use = age_;
  use->residents_at_last_use = residents_;
  if (++use->opens > 1) use->admitted = true;
}

void Evictor::Left(const std::string& key, const EvictionCandidate& use, bool evicted) {
  order_.Erase(use.segment);
  --residents_;
  UseHistory history = use.history;
  history.opens += use.opens;
  history.evictions += evicted ? 1 : 0;
  history.last_used = std::max(history.last_used, use.last_used);
  history.frequency = use.frequency;
  history.reload_time = use.reload_time;
  histories_.Remember(key, history);
}

void Evictor::Evicted(const EvictionCandidate& use, double rank) {
  if (use.admitted) age_ = std::max(age_, rank);
}

bool Evictor::Admits(const std::string& key, uint64_t bytes,
                     std::span<const EvictionCandidate> victims) const {
  const UseHistory history = histories_.Of(key);
  const EvictionCandidate newcomer{.bytes = bytes,
                                   .reload_time = history.reload_time,
                                   .frequency = AddUse(history.frequency, clock_.now()),
                                   .history = history};
  return policy_.admission->admits(newcomer, victims);
}

}  // namespace trims
