// The life of a segment, and the one table that says which steps are legal.
//
//   absent → reserved → loading → resident → draining → absent
//                 └────────┴─→ failed ─→ reserved (the next open after the back-off) or absent
//                 (forgotten)
//
// Thread-safety: pure functions.
#ifndef TRIMS_RESIDENCY_SEGMENT_STATE_H_
#define TRIMS_RESIDENCY_SEGMENT_STATE_H_

#include <string_view>

namespace trims {

enum class SegmentState { kAbsent, kReserved, kLoading, kResident, kDraining, kFailed };

std::string_view SegmentStateName(SegmentState state);

// Its bytes are on their way.
constexpr bool Comes(SegmentState state) {
  return state == SegmentState::kReserved || state == SegmentState::kLoading;
}
// They are there, or on their way: who opens it needs no more room.
constexpr bool IsThereOrComes(SegmentState state) {
  return state == SegmentState::kResident || Comes(state);
}

// Whether the diagram above has an arrow between the two.
bool IsLegalTransition(SegmentState from, SegmentState to);

}  // namespace trims

#endif  // TRIMS_RESIDENCY_SEGMENT_STATE_H_
