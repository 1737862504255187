// Eviction policies: which resident, unleased segments go when the host tier needs space. Pure: a
// snapshot in, one decision out; no clock, no memory, no side effect.
//
// Names are those of the paper's server where it had one ("never", "lru"). More policies are more
// functions here.
#ifndef TRIMS_STORE_EVICTION_POLICY_H_
#define TRIMS_STORE_EVICTION_POLICY_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"

namespace trims {

// One segment that may be evicted: resident, without leases.
struct EvictionCandidate {
  uint64_t segment = 0;  // the manager's id
  uint64_t bytes = 0;    // what evicting it frees
  TimePoint last_used;   // when its last lease ended, or when it became resident
  uint64_t opens = 0;    // served so far
};

class EvictionPolicy {
 public:
  virtual ~EvictionPolicy() = default;
  virtual std::string_view name() const = 0;
  // The segments to evict, in order, so that at least `needed` bytes are freed; empty if that can't
  // be reached, in which case nothing is to be evicted.
  virtual std::vector<uint64_t> Choose(std::span<const EvictionCandidate> candidates,
                                       uint64_t needed) const = 0;
};

// "never" or "lru"; INVALID_ARGUMENT names them for anything else.
Result<std::unique_ptr<EvictionPolicy>> MakeEvictionPolicy(std::string_view name);

}  // namespace trims

#endif  // TRIMS_STORE_EVICTION_POLICY_H_
