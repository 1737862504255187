#include "load/pacer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{seconds(1000)};

TEST(PacerTest, WorkIsDueAsTheRateSays) {
  EXPECT_EQ(DueAt(kStart, kStart, 500, 1000), kStart + milliseconds(500));
  EXPECT_EQ(DueAt(kStart + seconds(3), kStart, 500, 1000), kStart + milliseconds(3500));
}

TEST(PacerTest, TimeThatNobodyUsedIsNotSavedUp) {
  EXPECT_EQ(DueAt(kStart, kStart + seconds(60), 500, 1000), kStart + milliseconds(60500));
}

TEST(PacerTest, WithoutARateNobodyWaits) {
  Pacer pacer(0);
  pacer.Pace(uint64_t{1} << 62);
}

TEST(PacerTest, OnceStoppedNobodyWaits) {
  Pacer pacer(1);
  std::thread waits([&pacer] { pacer.Pace(1 << 30); });  // thirty years
  pacer.Stop();
  waits.join();
  pacer.Pace(1 << 30);
}

}  // namespace
}  // namespace trims
