// Controller: what operators ask of the tiers: what stays whatever happens, what comes before it is opened,
// what goes, and that nobody is served any more.
//
// Pins are the catalog's, by name, version and kind of variant: the images that they mean are pinned in
// their tier (SegmentTable::SetPinned) from the answer on, after each change of the catalog, and from the
// start of the next daemon, which loads them.
//
// Thread-safety: loop only. Ends before the tiers; nobody is called back any more then.
#ifndef TRIMS_MANAGER_CONTROLLER_H_
#define TRIMS_MANAGER_CONTROLLER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
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
using DrainCallback = std::function<void(Result<DrainSnapshot>)>;

class Controller {
 public:
  // All outlive it.
  Controller(Catalog* catalog, TimerService* timers, const Tiers* tiers, EventSink* events)
      : catalog_(catalog), timers_(timers), tiers_(tiers), events_(events), bringer_(timers) {}
  ~Controller() { timers_->Cancel(pins_timer_); }
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
  Result<DrainSnapshot> Drain(const wire::Principal& principal, bool on,
                              const FindHolders& holders);
  void AwaitQuiet(DrainCallback done);

  // Pins what the catalog says, and loads it as far as it isn't there; what can't be is logged. Start: once. After each
  // change of the catalog: the pins hold, and, once the tiers have let go of what it no longer knows, are loaded.
  void Start();
  void ApplyPins();
  void LoadPinned();
  // Loads a model that nobody has pinned.
  void Preload(const std::string& reference);

  bool draining() const { return draining_; }
  // What an open is answered while draining().
  static Status Draining();

 private:
  struct Meant;  // a model in a tier
  // What is there and whose pins are being written.
  struct Pinning {
    std::vector<PinnedVariant> pins;
    std::vector<Lease> leases;
  };

  Result<Meant> Find(const ControlWishes& wishes) const;
  ImagePtr ImageOf(const PinnedVariant& pin) const;
  void LoadNextPinned();
  void RetryPinned();
  std::vector<PinnedVariant> PinsOf(const std::string& reference, std::string_view tier,
                                    const std::vector<Variant>& kinds) const;
  void UnpinInAbsentTier(const ControlWishes& wishes, const Status& why_none, ControlCallback done);
  std::set<PinnedVariant> AllPins() const;  // those that are being written, too
  Status CheckPinsFit(const Meant& meant) const;
  // What there is of it to evict, if that may go. Nothing is not an error.
  Result<Meant> FindThere(const wire::Principal& principal, const ControlWishes& wishes) const;
  Result<ControlledModel> Evict(const Meant& meant) const;
  Status CheckMayEvict(const Meant& meant, const ControlWishes& wishes) const;
  void PinBrought(const Meant& meant, std::vector<Lease> leases, ControlCallback done);
  void Bring(const std::string& why, SegmentTable* tier, const ImagePtr& image);
  void TellPinned(bool pinned, const std::string& model, std::string_view tier) const;
  void TellQuiet();
  bool Quiet() const;
  DrainSnapshot Snapshot() const;

  static constexpr std::chrono::milliseconds kFirstPinsBackOff{1000};
  static constexpr std::chrono::milliseconds kMostPinsBackOff{60'000};

  Catalog* const catalog_;
  TimerService* const timers_;
  const Tiers* const tiers_;
  EventSink* const events_;
  // Of pins whose loads go on, one after the other; what failed is tried again.
  bool loading_pinned_ = false;
  std::set<std::pair<const SegmentTable*, std::string>> tried_;  // by the image's key
  bool pins_failed_ = false;
  uint64_t pins_timer_ = 0;  // 0: none
  std::chrono::milliseconds pins_back_off_ = kFirstPinsBackOff;
  bool draining_ = false;
  std::vector<DrainCallback> awaiting_quiet_;
  uint64_t last_pinning_ = 0;
  std::map<uint64_t, Pinning> pinning_;
  Bringer bringer_;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_CONTROLLER_H_
