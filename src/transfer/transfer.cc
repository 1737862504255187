#include "transfer/transfer.h"

#include <chrono>

namespace trims {

void StallWatch::Begin(const HttpPatience& patience, const TransferPace& pace, TimePoint now,
                       uint64_t reached) {
  stall_ = patience.stall;
  needed_ = pace.bytes_per_stall;
  marked_ = reached;
  stalls_at_ = now + stall_;
}

TimePoint StallWatch::StallsAt(TimePoint now, uint64_t reached) {
  if (reached < marked_ || reached - marked_ >= needed_) {  // a body may begin again
    marked_ = reached;
    stalls_at_ = now + stall_;
  }
  return stalls_at_;
}

std::string StallWatch::Words(uint64_t reached, const std::string& moved) const {
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(stall_);
  return std::to_string(reached - marked_) + " bytes " + moved + " in " +
         std::to_string(waited.count()) + " ms, expected at least " + std::to_string(needed_);
}

}  // namespace trims
