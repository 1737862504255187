#include "device/link.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

using std::chrono::microseconds;

constexpr TimePoint kNow{std::chrono::hours(1)};

TEST(LinkTest, BytesTakeWhatTheWireTakesAndOneLatency) {
  Link link({.bytes_per_second = 1'000'000, .latency = microseconds(50)});
  EXPECT_EQ(link.Carry(1000, kNow), kNow + microseconds(1050));
}

TEST(LinkTest, OneTransferAfterTheOther) {
  Link link({.bytes_per_second = 1'000'000, .latency = microseconds(50)});
  link.Carry(1000, kNow);
  EXPECT_EQ(link.Carry(1000, kNow), kNow + microseconds(2050))
      << "it leaves when the wire is free, and the latencies overlap";
  EXPECT_EQ(link.Carry(1000, kNow + microseconds(10'000)), kNow + microseconds(11'050))
      << "a free wire is not ahead of its time";
}

TEST(LinkTest, WithoutALimitOnlyTheLatencyIsLeft) {
  Link link({.latency = microseconds(7)});
  EXPECT_EQ(link.Carry(uint64_t{1} << 40, kNow), kNow + microseconds(7));
}

}  // namespace
}  // namespace trims
