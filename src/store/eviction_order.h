// EvictionOrder: the segments of a tier that may go, kept in the order in which they would.
//
//   order.Insert(candidate);                                  // its last lease has ended
//   order.Erase(candidate.segment);                           // somebody holds it again
//   for (const Victim& victim : order.Choose(needed)) …   // nothing is evicted yet
//
// Coming and going cost the logarithm of how many there are, a choice what it names. A candidate's rank
// is asked once, when it comes: policies rank what stands still while nobody uses it. Three queues: those
// that were not admitted go first; then those on probation, as long as they hold more than their
// share; then the others, by rank. Thread-safety: loop only.
#ifndef TRIMS_STORE_EVICTION_ORDER_H_
#define TRIMS_STORE_EVICTION_ORDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

#include "store/eviction_policy.h"

namespace trims {

struct Victim {
  uint64_t segment = 0;
  double rank = 0;

  friend bool operator==(const Victim&, const Victim&) = default;
};

class EvictionOrder {
 public:
  // The policy outlives it.
  explicit EvictionOrder(const EvictionPolicy* policy) : policy_(policy) {}

  // No-op for what frees nothing, and what is in it already. A rank that is not a number counts as
  // the highest there is; of equal rank the one with the lower id goes first.
  void Insert(const EvictionCandidate& candidate);
  void Erase(uint64_t segment);  // no-op for one that is not in it

  // Those that go first, in order, no more than needed (all there are, of a policy that takes all).
  // Together they free `needed` bytes, or there are none and nothing is to be evicted: a policy can't
  // give up too little. Those of whom `may_go` says no are passed over; empty: all may.
  using MayGo = std::function<bool(uint64_t segment)>;
  std::vector<Victim> Choose(uint64_t needed, const MayGo& may_go = {}) const;

  size_t size() const { return places_.size(); }
  uint64_t bytes() const;  // of all that may go

 private:
  enum Queue : size_t { kNotAdmitted, kProbation, kAdmitted, kQueues };
  struct Entry {
    double rank = 0;
    uint64_t segment = 0;
    uint64_t bytes = 0;  // no part of the order

    bool operator<(const Entry& other) const {
      return rank != other.rank ? rank < other.rank : segment < other.segment;
    }
  };
  using Entries = std::set<Entry>;
  struct Place {
    Queue queue;
    Entries::const_iterator entry;
  };
  using Places = std::unordered_map<uint64_t, Place>;
  class Walk;

  Entries::const_iterator PutInOrder(Queue queue, const Entry& entry);
  void PutInPlaces(uint64_t segment, const Place& place);
  Queue QueueOf(const EvictionCandidate& candidate) const;

  const EvictionPolicy* policy_;
  std::array<Entries, kQueues> queues_;
  std::array<uint64_t, kQueues> bytes_{};  // a tier's budget bounds the sum
  Places places_;
  // Of the last one that went: a lease that ends before another begins allocates nothing.
  Entries::node_type spare_entry_;
  Places::node_type spare_place_;
};

}  // namespace trims

#endif  // TRIMS_STORE_EVICTION_ORDER_H_
