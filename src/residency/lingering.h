// Lingering: bytes that have left a tier, by eviction, reclaim or removal, and that the kernel has not given back, because some
// process still maps them or has their descriptors.
//
// They take their room of the budget until the last of these has let go. Nobody is waited for and nobody is stopped:
// the memory can't be taken from a process that maps it, so all there is to do is to count it and to name who has it.
//
// Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_LINGERING_H_
#define TRIMS_RESIDENCY_LINGERING_H_

#include <memory>
#include <vector>

#include "base/clock.h"
#include "format/image.h"
#include "residency/lease.h"
#include "residency/namespace_ledger.h"
#include "store/budget.h"
#include "store/memory_keepers.h"

namespace trims {

struct Lingering {
  ImagePtr image;
  Reservation room;
  Charge charge;
  TimePoint since;
  std::vector<std::shared_ptr<const Holder>> last_holders;  // whose leases ended last
  std::vector<MemoryKeeper> keepers;                        // who was found to have the bytes
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_LINGERING_H_
