#include "residency/segment_state.h"

#include <gtest/gtest.h>

#include <utility>

namespace trims {
namespace {

TEST(SegmentState, LegalStepsAreThoseOfTheDiagram) {
  using S = SegmentState;
  const std::pair<S, S> legal[] = {
      {S::kAbsent, S::kReserved},   {S::kReserved, S::kLoading}, {S::kLoading, S::kResident},
      {S::kResident, S::kDraining}, {S::kDraining, S::kAbsent},  {S::kReserved, S::kFailed},
      {S::kLoading, S::kFailed},    {S::kFailed, S::kReserved},  {S::kFailed, S::kAbsent}};
  const S all[] = {S::kAbsent, S::kReserved, S::kLoading, S::kResident, S::kDraining, S::kFailed};
  int count = 0;
  for (const S from : all) {
    for (const S to : all) count += IsLegalTransition(from, to);
  }
  EXPECT_EQ(count, 9);
  for (const auto& [from, to] : legal) {
    EXPECT_TRUE(IsLegalTransition(from, to)) << SegmentStateName(from) << SegmentStateName(to);
  }
}

}  // namespace
}  // namespace trims
