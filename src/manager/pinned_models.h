// PinnedModels: what the catalog says is pinned, held in the tiers and brought there.
//
// Pins are the catalog's, by name, version and kind of variant: the images that they mean are pinned in
// their tier (SegmentTable::SetPinned) from the answer on, after each change of the catalog, and from the
// start of the next daemon, which loads them.
//
//   pinned.Apply();  // after each change of the catalog
//   pinned.Load();   // once the tiers have let go of what it no longer knows
//
// Thread-safety: loop only. Ends before the tiers; nobody is called back any more then.
#ifndef TRIMS_MANAGER_PINNED_MODELS_H_
#define TRIMS_MANAGER_PINNED_MODELS_H_

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "catalog/catalog.h"
#include "loop/timer_service.h"
#include "loop/while_alive.h"
#include "manager/bringer.h"
#include "manager/choose_tier.h"

namespace trims {

class PinnedModels {
 public:
  // All outlive it.
  PinnedModels(const Catalog* catalog, TimerService* timers, const Tiers* tiers)
      : catalog_(catalog), timers_(timers), tiers_(tiers), bringer_(timers) {}
  ~PinnedModels() { timers_->Cancel(timer_); }
  PinnedModels(const PinnedModels&) = delete;
  PinnedModels& operator=(const PinnedModels&) = delete;

  // Once: what is pinned in tiers that there are not is logged, the rest applied and loaded.
  void Start();
  // The tiers hold what the catalog says, once it is there.
  void Apply();
  // Brings what isn't there, one after the other. What fails is logged, and tried again as long as it may come.
  void Load();

  // What is to be pinned in a tier.
  struct Wanted {
    const SegmentTable* tier = nullptr;
    std::string reference;
    std::vector<ImagePtr> images;
  };
  // RESOURCE_EXHAUSTED: with what is pinned there, and with `being_written`, it takes more than the tier has. What is pinned and not
  // there, because a budget was made smaller or a load failed, counts too.
  Status CheckFits(const Wanted& wanted, const std::set<PinnedVariant>& being_written) const;

 private:
  ImagePtr ImageOf(const PinnedVariant& pin) const;  // nullptr: there is none
  void LoadNext();
  void Retry();

  static constexpr std::chrono::milliseconds kFirstBackOff{1000};
  static constexpr std::chrono::milliseconds kMostBackOff{60'000};

  const Catalog* const catalog_;
  TimerService* const timers_;
  const Tiers* const tiers_;
  bool loading_ = false;
  std::set<std::pair<const SegmentTable*, std::string>> tried_;  // by the image's key
  bool failed_ = false;
  uint64_t timer_ = 0;  // 0: none
  std::chrono::milliseconds back_off_ = kFirstBackOff;
  Bringer bringer_;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_MANAGER_PINNED_MODELS_H_
