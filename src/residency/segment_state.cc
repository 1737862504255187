#include "residency/segment_state.h"

namespace trims {

std::string_view SegmentStateName(SegmentState state) {
  switch (state) {
    case SegmentState::kAbsent:
      return "absent";
    case SegmentState::kReserved:
      return "reserved";
    case SegmentState::kLoading:
      return "loading";
    case SegmentState::kResident:
      return "resident";
    case SegmentState::kDraining:
      return "draining";
    case SegmentState::kFailed:
      return "failed";
  }
  return "unknown";
}

bool IsLegalTransition(SegmentState from, SegmentState to) {
  switch (from) {
    case SegmentState::kAbsent:
      return to == SegmentState::kReserved;
    case SegmentState::kReserved:
      return to == SegmentState::kLoading || to == SegmentState::kFailed;
    case SegmentState::kLoading:
      return to == SegmentState::kResident || to == SegmentState::kFailed;
    case SegmentState::kResident:
      return to == SegmentState::kDraining;
    case SegmentState::kDraining:
      return to == SegmentState::kAbsent;
    case SegmentState::kFailed:
      return to == SegmentState::kReserved || to == SegmentState::kAbsent;
  }
  return false;
}

}  // namespace trims
