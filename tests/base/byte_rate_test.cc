#include "base/byte_rate.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ByteRateTest, IsTheMean) {
  EXPECT_EQ(BytesPerSecond(3000, seconds(2)), 1500U);
  EXPECT_EQ(BytesPerSecond(1, milliseconds(1)), 1000U);
}

TEST(ByteRateTest, IsNoneBeforeAnythingCame) {
  EXPECT_EQ(BytesPerSecond(0, seconds(2)), 0U);
  EXPECT_EQ(BytesPerSecond(3000, seconds(0)), 0U);
  EXPECT_EQ(BytesPerSecond(3000, seconds(-1)), 0U);
}

TEST(ByteRateTest, ARemainderTakesItsTimeRoundedUp) {
  EXPECT_EQ(RemainingTime(1500, 1000), milliseconds(1500));
  EXPECT_EQ(RemainingTime(1, 1'000'000), milliseconds(1));
  EXPECT_EQ(RemainingTime(0, 1000), milliseconds(0));
  EXPECT_EQ(RemainingTime(1500, 0), std::nullopt);
}

TEST(ByteRateTest, NothingOverflows) {
  EXPECT_GT(BytesPerSecond(UINT64_MAX, nanoseconds(1)), uint64_t{1} << 59);
  EXPECT_EQ(RemainingTime(UINT64_MAX, 1), std::chrono::hours(24 * 365));
}

}  // namespace
}  // namespace trims
