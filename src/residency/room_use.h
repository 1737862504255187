// RoomUse: what a tier's budget is in use for. Thread-safety: values.
#ifndef TRIMS_RESIDENCY_ROOM_USE_H_
#define TRIMS_RESIDENCY_ROOM_USE_H_

#include <cstdint>

namespace trims {

// Bytes of a tier's budget by what they are for.
struct RoomUse {
  uint64_t leased = 0;
  uint64_t pinned = 0;   // or held for a copy above; what is in use is counted there, too
  uint64_t idle = 0;     // neither leased nor pinned
  uint64_t loading = 0;  // what is brought by another way, too
  uint64_t draining = 0;
  uint64_t lingering = 0;  // evicted, reclaimed or removed, and still mapped by somebody
  uint64_t waiting = 0;    // not in the budget yet: reserved segments without room
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_ROOM_USE_H_
