// Segment: one variant on its way into the host tier, in it, or on its way out; and those who wait
// for it.
//
// A record of SegmentTable, which alone changes it. Loop only.
#ifndef TRIMS_RESIDENCY_SEGMENT_H_
#define TRIMS_RESIDENCY_SEGMENT_H_

#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "load/loader.h"
#include "residency/lease.h"
#include "residency/segment_state.h"
#include "store/budget.h"

namespace trims {

// One open that waits for a load. `info` is complete but for how it was served.
struct Waiter {
  WaiterId id = 0;
  OpenInfo info;
  OpenCallback done;
  TimePoint began;
  uint64_t timer = 0;
};

// Why the last load failed, and until when opens are answered with that instead of trying again.
struct LoadFailure {
  int in_a_row = 0;
  Status error;
  TimePoint retry_at;
};

struct Segment {
  // Constant.
  uint64_t id = 0;
  std::string key;        // Image::key: its identity
  std::string reference;  // under which it was opened first
  std::string digest;
  Variant kind = Variant::kFiles;
  std::string variant_key;
  uint64_t footprint = 0;

  SegmentState state = SegmentState::kAbsent;  // only SegmentTable::Step changes it
  LoadPlan plan;                               // as of the last miss
  Reservation room;                            // loading, resident, draining: `footprint` bytes
  std::optional<ResidentBytes> bytes;          // resident
  CancelFlag cancel;                           // loading
  std::list<Waiter> waiters;                   // reserved, loading, draining
  LoadFailure failure;
  uint64_t leases = 0;
  uint64_t opens = 0;
  TimePoint last_used;
  bool removed = false;  // no catalog entry has this content any more
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_SEGMENT_H_
