// RoomQueue: who gets the room of a tier that is free, or being freed, in which order.
//
// Freeing takes time, so a miss that was admitted is promised its room and waits here, first come,
// first served, until the budget has it back. A large one at the head is waited for: those behind it
// can't starve it.
//
//   queue.Push(segment->id(), segment->footprint());
//   while (std::optional<RoomQueue::Grant> grant = queue.Next()) Load(grant->segment, …);
//
// The budget outlives it and the reservations. Thread-safety: loop only.
#ifndef TRIMS_RESIDENCY_ROOM_QUEUE_H_
#define TRIMS_RESIDENCY_ROOM_QUEUE_H_

#include <cstdint>
#include <deque>
#include <optional>

#include "store/budget.h"

namespace trims {

class RoomQueue {
 public:
  struct Grant {
    uint64_t segment = 0;
    Reservation room;
  };

  explicit RoomQueue(Budget* budget) : budget_(budget) {}

  // `bytes` is at most the budget's limit.
  void Push(uint64_t segment, uint64_t bytes);
  // No-op if it does not wait.
  void Erase(uint64_t segment);
  // The first one, if there is room for it now.
  std::optional<Grant> Next();
  // The segment that came last.
  std::optional<uint64_t> Last() const;

  // How many bytes more than are free, or will be once `draining` bytes are, a newcomer of `bytes`
  // needs behind all that wait: what has to be evicted for it.
  uint64_t Shortage(uint64_t bytes, uint64_t draining) const;
  uint64_t waiting_bytes() const { return waiting_bytes_; }

 private:
  struct Waiting {
    uint64_t segment = 0;
    uint64_t bytes = 0;
  };

  Budget* const budget_;
  std::deque<Waiting> waiting_;
  uint64_t waiting_bytes_ = 0;
};

}  // namespace trims

#endif  // TRIMS_RESIDENCY_ROOM_QUEUE_H_
