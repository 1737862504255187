#include "store/use_history.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

UseHistory UsedAt(int seconds, uint64_t opens = 1) {
  return {.opens = opens, .evictions = 1, .last_used = TimePoint(std::chrono::seconds(seconds))};
}

TEST(UseHistoriesTest, ResidencesAddUp) {
  UseHistories histories(2);
  EXPECT_EQ(histories.Of("a").opens, 0u);
  histories.Remember("a", UsedAt(5, 3));
  histories.Remember("a", UsedAt(2, 4));
  const UseHistory a = histories.Of("a");
  EXPECT_EQ(a.opens, 7u);
  EXPECT_EQ(a.evictions, 2u);
  EXPECT_EQ(a.last_used, TimePoint(std::chrono::seconds(5)));
  EXPECT_EQ(histories.size(), 1u);
}

TEST(UseHistoriesTest, TheOneUnusedForLongestIsForgottenFirst) {
  UseHistories histories(2);
  histories.Remember("late", UsedAt(3));
  histories.Remember("early", UsedAt(1));
  histories.Remember("middle", UsedAt(2));
  EXPECT_EQ(histories.size(), 2u);
  EXPECT_EQ(histories.Of("early").opens, 0u);
  EXPECT_EQ(histories.Of("middle").opens, 1u);
  EXPECT_EQ(histories.Of("late").opens, 1u);
}

TEST(UseHistoriesTest, OneThatCameAgainIsNotTheOldestAnyMore) {
  UseHistories histories(2);
  histories.Remember("a", UsedAt(1));
  histories.Remember("b", UsedAt(2));
  histories.Remember("a", UsedAt(3));
  histories.Remember("c", UsedAt(4));
  EXPECT_EQ(histories.Of("b").opens, 0u);
  EXPECT_EQ(histories.Of("a").opens, 2u);
}

TEST(UseHistoriesTest, WhatIsTakenIsKnownNoMore) {
  UseHistories histories(2);
  histories.Remember("a", UsedAt(1, 3));
  EXPECT_EQ(histories.Take("a").opens, 3u);
  EXPECT_EQ(histories.Take("a").opens, 0u);
  EXPECT_EQ(histories.size(), 0u);
  histories.Remember("b", UsedAt(2));
  histories.Remember("c", UsedAt(3));
  EXPECT_EQ(histories.size(), 2u) << "its place is free";
}

TEST(UseHistoriesTest, WhatWasNeverOpenedTakesNoPlace) {
  UseHistories histories(1);
  histories.Remember("a", UsedAt(1));
  histories.Remember("b", UsedAt(2, 0));
  EXPECT_EQ(histories.Of("a").opens, 1u);
  UseHistories none(0);
  none.Remember("a", UsedAt(1));
  EXPECT_EQ(none.size(), 0u);
}

}  // namespace
}  // namespace trims
