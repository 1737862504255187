// Evictor: what one tier knows of the use of its segments, and who of them goes by its policy.
//
//   evictor.Entered(key, now, load_time, &use);    // a segment became resident
//   evictor.Opened(&use);                          // for each lease
//   evictor.Offer(use);                            // it may go: nobody holds it
//   evictor.Withdraw(use.segment);                 // it may not any more
//   for (const Victim& victim : evictor.Choose(needed)) {
//     evictor.Evicted(use, victim.rank);  // it is one of those
//     evictor.Left(key, use, /*evicted=*/true);
//   }
//
// The owner keeps each segment's EvictionCandidate; all that is the tier's is here: the order of those
// that may go, the clock of uses, the age, and what is remembered of those that went. The replay of
// traces (bench/) drives the same object as a SegmentTable does. Thread-safety: loop only.
#ifndef TRIMS_STORE_EVICTOR_H_
#define TRIMS_STORE_EVICTOR_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/eviction_order.h"
#include "store/tier_policy.h"
#include "store/use_frequency.h"
#include "store/use_history.h"

namespace trims {

class Evictor {
 public:
  explicit Evictor(const TierPolicy& policy) : policy_(policy), order_(policy.eviction) {}

  const TierPolicy& policy() const { return policy_; }
  // Begins anew with nothing offered. Whoever owns candidates has each of them taken over from the policy
  // `before` and offers those that may go again.
  void SetPolicy(const TierPolicy& policy);
  // Without what that policy left behind: the age, since ranks of two policies can't be compared, and
  // the place of one that was not admitted.
  void TakeOver(const TierPolicy& before, EvictionCandidate* use) const;

  // `use` has its id, its bytes and whether it was admitted; the rest is filled in.
  void Entered(const std::string& key, TimePoint now, Duration load_time, EvictionCandidate* use);
  void Opened(EvictionCandidate* use);
  void Left(const std::string& key, const EvictionCandidate& use, bool evicted);

  void Offer(const EvictionCandidate& use) { order_.Insert(use); }
  void Withdraw(uint64_t segment) { order_.Erase(segment); }

  // As EvictionOrder::Choose.
  std::vector<Victim> Choose(uint64_t needed, const EvictionOrder::MayGo& may_go = {}) const {
    return order_.Choose(needed, may_go);
  }
  // Of all that may go, by a policy that lets any go.
  uint64_t bytes() const { return order_.bytes(); }
  // One of those that were chosen goes. The age is the highest rank that went in its turn: what was not
  // admitted goes whatever it ranks.
  void Evicted(const EvictionCandidate& use, double rank);
  // What it takes to bring in what is not resident; 0: not known.
  Duration ReloadTimeOf(const std::string& key) const { return histories_.Of(key).reload_time; }
  // Whether what comes with `key` may push out `victims`; if not, it is to enter as not admitted.
  bool Admits(const std::string& key, uint64_t bytes,
              std::span<const EvictionCandidate> victims) const;

 private:
  TierPolicy policy_;
  EvictionOrder order_;
  UseHistories histories_;  // of those that are not resident
  UseClock clock_;
  double age_ = 0;  // EvictionCandidate::age_at_last_use
  uint64_t loads_ = 0;
  uint64_t residents_ = 0;
};

}  // namespace trims

#endif  // TRIMS_STORE_EVICTOR_H_
