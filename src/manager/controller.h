// Controller: what operators ask of the tiers: what stays whatever happens, what comes before it is opened,
// and what goes.
//
//   controller.Pin(principal, {.reference = "ocr"}, progress, [](Result<ControlledModel> pinned) { … });
//
// Thread-safety: loop only. Ends before the tiers; nobody is called back any more then.
#ifndef TRIMS_MANAGER_CONTROLLER_H_
#define TRIMS_MANAGER_CONTROLLER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "catalog/catalog.h"
#include "events/event.h"
#include "ingest/preparer.h"
#include "loop/timer_service.h"
#include "loop/while_alive.h"
#include "manager/bringer.h"
#include "manager/choose_tier.h"
#include "manager/pinned_models.h"
#include "manager/snapshot.h"
#include "wire/principal.h"

namespace trims {

struct ControlWishes {
  std::string reference;
  std::string tier = {};               // empty: the host's memory
  std::vector<Variant> variants = {};  // empty: see each command
  bool wait = true;                    // Prefetch: it is answered once all is there
  bool when_idle = false;              // Evict
  FindHolders holders = {};            // for messages; may be empty
};

using ControlCallback = std::function<void(Result<ControlledModel>)>;

class Controller {
 public:
  // All outlive it.
  Controller(Catalog* catalog, TimerService* timers, const Tiers* tiers, PinnedModels* pinned,
             EventSink* events)
      : catalog_(catalog), tiers_(tiers), pinned_(pinned), events_(events), bringer_(timers) {}
  Controller(const Controller&) = delete;
  Controller& operator=(const Controller&) = delete;

  // Contracts of the Manager's own.
  void Pin(const wire::Principal& principal, const ControlWishes& wishes,
           Preparer::Progress progress, ControlCallback done);
  void Unpin(const wire::Principal& principal, const ControlWishes& wishes, ControlCallback done);
  void Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                Preparer::Progress progress, ControlCallback done);
  Result<ControlledModel> Evict(const wire::Principal& principal, const ControlWishes& wishes);
  void Demote(const wire::Principal& principal, const ControlWishes& wishes,
              Preparer::Progress progress, ControlCallback done);
  // Loads a model that nobody has pinned.
  void Preload(const std::string& reference);

 private:
  struct Meant;  // a model in a tier
  // What is there and whose pins are being written.
  struct Pinning {
    std::vector<PinnedVariant> pins;
    std::vector<Lease> leases;
  };

  Result<Meant> Find(const ControlWishes& wishes) const;
  std::vector<PinnedVariant> PinsOf(const std::string& reference, std::string_view tier,
                                    const std::vector<Variant>& kinds) const;
  void UnpinInAbsentTier(const ControlWishes& wishes, const Status& why_none, ControlCallback done);
  Status CheckPinsFit(const Meant& meant) const;
  // What there is of it to evict, if that may go. Nothing is not an error.
  Result<Meant> FindThere(const wire::Principal& principal, const ControlWishes& wishes) const;
  Result<ControlledModel> Evict(const Meant& meant) const;
  Status CheckMayEvict(const Meant& meant, const ControlWishes& wishes) const;
  void PinBrought(const Meant& meant, std::vector<Lease> leases, ControlCallback done);
  void Bring(const std::string& why, SegmentTable* tier, const ImagePtr& image);
  void TellPinned(bool pinned, const std::string& model, std::string_view tier) const;

  Catalog* const catalog_;
  const Tiers* const tiers_;
  PinnedModels* const pinned_;
  EventSink* const events_;
  uint64_t last_pinning_ = 0;
  std::map<uint64_t, Pinning> pinning_;
  Bringer bringer_;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_CONTROLLER_H_
