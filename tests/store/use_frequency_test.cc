#include "store/use_frequency.h"

#include <gtest/gtest.h>

#include <cmath>

namespace trims {
namespace {

TEST(UseFrequencyTest, AUseFadesByHalfWhileAllThatIsKnownIsUsedSixteenTimes) {
  UseClock clock;
  for (int use = 0; use < 16 * 10; ++use) clock.Tick(10);
  EXPECT_NEAR(clock.now(), 1, 1e-9);
}

TEST(UseFrequencyTest, TwoUsesAtOnceAreWorthTwice) {
  EXPECT_EQ(AddUse(kNeverUsed, 5), 5);
  EXPECT_NEAR(AddUse(AddUse(kNeverUsed, 5), 5), 6, 1e-12);
  EXPECT_NEAR(std::exp2(AddUse(AddUse(kNeverUsed, 0), 1)), 3, 1e-12);
}

TEST(UseFrequencyTest, WhatIsLongPastAddsNothingAndNothingOverflows) {
  EXPECT_EQ(AddUse(0, 1e6), 1e6);
  EXPECT_EQ(AddFrequencies(kNeverUsed, kNeverUsed), kNeverUsed);
}

TEST(UseFrequencyTest, AClockAmongNothingKnownGoesAsAmongOne) {
  UseClock clock;
  clock.Tick(0);
  EXPECT_EQ(clock.now(), 1 / UseClock::kUsesPerHalfLife);
}

}  // namespace
}  // namespace trims
