#include "residency/room_queue.h"

#include <algorithm>
#include <utility>

namespace trims {

void RoomQueue::Push(uint64_t segment, uint64_t bytes) {
  waiting_.push_back({.segment = segment, .bytes = bytes});
  waiting_bytes_ += bytes;
}

void RoomQueue::Erase(uint64_t segment) {
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(),
                   [segment](const Waiting& waiting) { return waiting.segment == segment; });
  if (found == waiting_.end()) return;
  waiting_bytes_ -= found->bytes;
  waiting_.erase(found);
}

std::optional<RoomQueue::Grant> RoomQueue::Next() {
  if (waiting_.empty()) return std::nullopt;
  const Waiting first = waiting_.front();
  Result<Reservation> room = budget_->Reserve(first.bytes);
  if (!room.ok()) return std::nullopt;  // what was promised to it is still being freed
  waiting_.pop_front();
  waiting_bytes_ -= first.bytes;
  return Grant{.segment = first.segment, .room = *std::move(room)};
}

std::optional<uint64_t> RoomQueue::Last() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.back().segment;
}

// What drains is used, too.
uint64_t RoomQueue::Shortage(uint64_t bytes, uint64_t draining) const {
  const uint64_t wanted = waiting_bytes_ + bytes + budget_->used() - draining;
  return wanted > budget_->limit() ? wanted - budget_->limit() : 0;
}

}  // namespace trims
