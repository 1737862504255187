#include "events/event_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trims {
namespace {

std::vector<uint64_t> NumbersAfter(const EventRing& ring, uint64_t since) {
  std::vector<uint64_t> numbers;
  for (auto event = ring.After(since); event != ring.end(); ++event)
    numbers.push_back(event->sequence);
  return numbers;
}

using Numbers = std::vector<uint64_t>;

TEST(EventRing, NumbersGoOnAndTheOldestGo) {
  EventRing ring(100, 3);
  EXPECT_EQ(NumbersAfter(ring, 0), Numbers());
  for (int i = 0; i < 5; ++i) ring.Add({});
  EXPECT_EQ(ring.last(), 105U);
  EXPECT_EQ(NumbersAfter(ring, 0), (Numbers{103, 104, 105}));
  EXPECT_EQ(NumbersAfter(ring, 103), (Numbers{104, 105}));
  EXPECT_EQ(NumbersAfter(ring, 105), Numbers());
  EXPECT_EQ(NumbersAfter(ring, 999), Numbers()) << "of a daemon whose clock was ahead";
}

TEST(EventRing, SaysHowManyWereMissed) {
  EventRing ring(100, 3);
  EXPECT_EQ(ring.LostSince(100), 0U);
  EXPECT_EQ(ring.LostSince(7), 0U) << "an earlier daemon's number: of this one nothing is gone";
  for (int i = 0; i < 5; ++i) ring.Add({});  // 101 and 102 are gone
  EXPECT_EQ(ring.LostSince(100), 2U);
  EXPECT_EQ(ring.LostSince(7), 2U);
  EXPECT_EQ(ring.LostSince(101), 1U);
  EXPECT_EQ(ring.LostSince(102), 0U);
  EXPECT_EQ(ring.LostSince(105), 0U);
  EXPECT_EQ(ring.LostSince(0), 0U) << "who asks for what is kept has missed nothing";
}

}  // namespace
}  // namespace trims
