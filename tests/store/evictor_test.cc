#include "store/evictor.h"

#include <gtest/gtest.h>

#include <string>

namespace trims {
namespace {

using std::chrono::seconds;

class EvictorTest : public ::testing::Test {
 protected:
  EvictionCandidate Enter(uint64_t id, int load_seconds = 1, int opens = 1) {
    EvictionCandidate use;
    use.segment = id;
    use.bytes = 10;
    evictor_.Entered(std::to_string(id), now_ += seconds(1), seconds(load_seconds), &use);
    for (int open = 0; open < opens; ++open) evictor_.Opened(&use);
    return use;
  }
  void Leave(const EvictionCandidate& use) {
    evictor_.Left(std::to_string(use.segment), use, /*evicted=*/true);
  }

  TimePoint now_;
  Evictor evictor_{TierPolicy{.eviction = FindEvictionPolicy("gdsf").value(),
                              .admission = FindAdmissionPolicy("tinylfu").value()}};
};

TEST_F(EvictorTest, WhatComesBackBringsItsHistory) {
  const EvictionCandidate first = Enter(1, 4, 3);
  Leave(first);
  const EvictionCandidate again = Enter(1, 2);
  EXPECT_EQ(again.opens, 1u);
  EXPECT_EQ(again.history.opens, 3u);
  EXPECT_EQ(again.history.evictions, 1u);
  EXPECT_EQ(again.reload_time, seconds(3)) << "halfway to a shorter load";
  EXPECT_GT(again.frequency, first.frequency);
  EXPECT_EQ(again.loaded_as, 2u);
  Leave(again);
  EXPECT_EQ(Enter(1, 11).reload_time, seconds(4)) << "an eighth of the way to a longer one";
}

TEST_F(EvictorTest, WhatLeavesIsNotChosenAnyMore) {
  const EvictionCandidate use = Enter(1);
  evictor_.Offer(use);
  EXPECT_EQ(evictor_.Choose(10).size(), 1u);
  Leave(use);
  EXPECT_TRUE(evictor_.Choose(10).empty());
}

TEST_F(EvictorTest, TheAgeIsTheHighestRankThatWentAndCountsFromTheNextOpen) {
  EvictionCandidate use = Enter(1);
  evictor_.Evicted(use, 7);
  evictor_.Evicted(use, 3);
  EXPECT_EQ(use.age_at_last_use, 0);
  evictor_.Opened(&use);
  EXPECT_EQ(use.age_at_last_use, 7);
}

TEST_F(EvictorTest, WhatWasNotAdmittedGoesOutOfItsTurnAndMakesNobodyOlder) {
  EvictionCandidate use = Enter(1);
  use.admitted = false;
  evictor_.Evicted(use, 7);
  evictor_.Opened(&use);
  EXPECT_EQ(use.age_at_last_use, 0);
}

TEST_F(EvictorTest, AnotherPolicyBeginsWithNothingOfferedAndNoAge) {
  EvictionCandidate use = Enter(1);
  evictor_.Evicted(use, 7);
  evictor_.Opened(&use);
  evictor_.Offer(use);
  const TierPolicy before = evictor_.policy();
  evictor_.SetPolicy({.eviction = FindEvictionPolicy("lru").value()});
  evictor_.TakeOver(before, &use);
  EXPECT_TRUE(evictor_.Choose(10).empty());
  EXPECT_EQ(use.age_at_last_use, 0);
  evictor_.Opened(&use);
  EXPECT_EQ(use.age_at_last_use, 0);
}

TEST_F(EvictorTest, AnotherAdmissionKeepsTheAgeAndForgetsWhoWasNotAdmitted) {
  EvictionCandidate use = Enter(1);
  evictor_.Evicted(use, 7);
  evictor_.Opened(&use);
  use.admitted = false;
  const TierPolicy before = evictor_.policy();
  TierPolicy after = before;
  after.reclaim = Reclaim::kEager;
  evictor_.SetPolicy(after);
  evictor_.TakeOver(before, &use);
  EXPECT_FALSE(use.admitted);
  const TierPolicy eager = after;
  after.admission = FindAdmissionPolicy("all").value();
  evictor_.SetPolicy(after);
  evictor_.TakeOver(eager, &use);
  EXPECT_TRUE(use.admitted);
  EXPECT_EQ(use.age_at_last_use, 7);
  evictor_.Opened(&use);
  EXPECT_EQ(use.age_at_last_use, 7);
}

TEST_F(EvictorTest, OneThatCameOftenIsAdmittedOneThatIsNewIsNot) {
  const EvictionCandidate resident[] = {Enter(1, 1, 2)};
  Leave(Enter(2, 1, 5));
  EXPECT_TRUE(evictor_.Admits("2", 10, resident));
  EXPECT_FALSE(evictor_.Admits("3", 10, resident));
}

TEST_F(EvictorTest, OpenedAgainItCountsAsAdmitted) {
  EvictionCandidate use;
  use.segment = 1;
  use.bytes = 10;
  use.admitted = false;
  evictor_.Entered("1", now_, seconds(1), &use);
  evictor_.Opened(&use);
  EXPECT_FALSE(use.admitted);
  evictor_.Opened(&use);
  EXPECT_TRUE(use.admitted);
}

}  // namespace
}  // namespace trims
