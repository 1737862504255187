// What is said where a tier has no room for a model: with the numbers, who holds what, and what to do.
//
// Thread-safety: pure functions.
#ifndef TRIMS_RESIDENCY_ROOM_TEXTS_H_
#define TRIMS_RESIDENCY_ROOM_TEXTS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "residency/lingering.h"
#include "residency/room_use.h"
#include "residency/segment.h"

namespace trims {

// What a model would take of a tier.
struct RoomNeed {
  std::string reference;
  Variant kind = Variant::kFiles;
  std::string tier;
  uint64_t bytes = 0;
  uint64_t limit = 0;  // of the tier's budget
  std::string how_to_raise;
};

// What the tier has, and why it isn't free.
struct RoomTaken {
  RoomUse use;
  uint64_t used = 0;  // of the budget
  uint64_t leases = 0;
  std::string_view policy;
  std::chrono::milliseconds churn_guard{0};
  bool has_quotas = false;
  std::vector<const Segment*> segments;
  std::vector<const Lingering*> lingering;
};

// TOO_LARGE.
Status TooLargeFor(const RoomNeed& need);
// RESOURCE_EXHAUSTED.
Status NoRoomFor(const RoomNeed& need, const RoomTaken& taken);

}  // namespace trims

#endif  // TRIMS_RESIDENCY_ROOM_TEXTS_H_
