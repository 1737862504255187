// Drainer: a daemon that gives no new leases, and who waits for the end of those that are.
//
//   if (drainer.draining()) return Drainer::Refused();  // an open
//   drainer.AwaitQuiet([](Result<DrainSnapshot> drained) { … });
//
// Thread-safety: loop only. Ends before the tiers; nobody is called back any more then.
#ifndef TRIMS_MANAGER_DRAINER_H_
#define TRIMS_MANAGER_DRAINER_H_

#include <functional>
#include <vector>

#include "trims/status.h"

#include "events/event.h"
#include "manager/choose_tier.h"
#include "manager/snapshot.h"
#include "wire/principal.h"

namespace trims {

using DrainCallback = std::function<void(Result<DrainSnapshot>)>;

class Drainer {
 public:
  // All outlive it.
  Drainer(const Tiers* tiers, EventSink* events) : tiers_(tiers), events_(events) {}
  ~Drainer();
  Drainer(const Drainer&) = delete;
  Drainer& operator=(const Drainer&) = delete;

  // PERMISSION_DENIED: no operator. `holders` may be empty.
  Result<DrainSnapshot> Drain(const wire::Principal& principal, bool on,
                              const FindHolders& holders);
  // Once there is no lease, and nobody waits for one. CANCELLED: the drain was ended before.
  void AwaitQuiet(DrainCallback done);

  bool draining() const { return draining_; }
  // What an open is answered meanwhile.
  static Status Refused();

 private:
  bool Quiet() const;
  void TellQuiet();
  void CancelWaits();
  DrainSnapshot Snapshot() const;

  const Tiers* const tiers_;
  EventSink* const events_;
  bool draining_ = false;
  std::vector<DrainCallback> awaiting_quiet_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_DRAINER_H_
