// DeviceTier: a device's memory as a tier, filled from the tier beneath.
//
// Fills from what is resident beneath go one after the other, as the device's copy engine does. Where the bytes beneath
// are still on their way, each part is copied as soon as it is there (fill_feed.h), and the whole is shared when
// those beneath turned out to be right; these fills have threads of their own, since what is slow to come must not
// keep what is there waiting. Each extent is one allocation of the device's; the index stays in the host's memory,
// where clients read it.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Tier> tier,
//                          MakeDeviceTier({.number = 0, .budget = bytes}, device.get(), loop.poster()));
//
// Thread-safety: as Tier. Destroyed, it gives up the fills that have not begun and waits for those that
// have; their completions are still posted.
#ifndef TRIMS_LOAD_DEVICE_TIER_H_
#define TRIMS_LOAD_DEVICE_TIER_H_

#include <cstdint>
#include <memory>

#include "trims/status.h"

#include "device/device.h"
#include "load/tier.h"
#include "loop/post_to_loop.h"

namespace trims {

struct DeviceTierOptions {
  int number = 0;       // its name is "device:<number>"
  uint64_t budget = 0;  // bytes, of the device's capacity
  // Knows when what was let go of is free, of a simulated device; nullptr: at once. Outlives the tier.
  MemoryWatch* watch = nullptr;
};

// `device` outlives the tier, and what is resident in it. RESOURCE_EXHAUSTED: the system has no threads to
// give.
Result<std::unique_ptr<Tier>> MakeDeviceTier(const DeviceTierOptions& options, Device* device,
                                             PostToLoop post);

}  // namespace trims

#endif  // TRIMS_LOAD_DEVICE_TIER_H_
