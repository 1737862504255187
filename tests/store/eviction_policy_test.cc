#include "store/eviction_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "store/eviction_order.h"

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TimePoint At(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }

EvictionCandidate Candidate(uint64_t id, uint64_t bytes, int last_used) {
  EvictionCandidate candidate;
  candidate.segment = id;
  candidate.bytes = bytes;
  candidate.last_used = At(last_used);
  candidate.opens = 1;
  return candidate;
}

std::vector<uint64_t> Choose(const EvictionPolicy& policy,
                             const std::vector<EvictionCandidate>& candidates, uint64_t needed) {
  std::vector<uint64_t> segments;
  EvictionOrder order(&policy);
  for (const EvictionCandidate& candidate : candidates) order.Insert(candidate);
  for (const Victim& victim : order.Choose(needed)) {
    segments.push_back(victim.segment);
  }
  return segments;
}

std::vector<uint64_t> Choose(std::string_view policy,
                             const std::vector<EvictionCandidate>& candidates, uint64_t needed) {
  return Choose(*FindEvictionPolicy(policy).value(), candidates, needed);
}

TEST(EvictionPolicyTest, EachIsFoundByItsNameAndSaysWhatItDoes) {
  std::set<std::string_view> names;
  for (const EvictionPolicy& policy : EvictionPolicies()) {
    EXPECT_EQ(FindEvictionPolicy(policy.name).value(), &policy);
    EXPECT_THAT(policy.summary, ::testing::SizeIs(::testing::Gt(10u)));
    EXPECT_TRUE(names.insert(policy.name).second) << policy.name;
  }
  EXPECT_EQ(DefaultEvictionPolicy()->name, "worth");
}

TEST(EvictionPolicyTest, AnUnknownNameIsRefusedAndTheKnownOnesAreNamed) {
  const Status status = FindEvictionPolicy("mru").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("mru"));
  for (const EvictionPolicy& policy : EvictionPolicies()) {
    EXPECT_THAT(status.hint(), HasSubstr(policy.name));
    EXPECT_THAT(EvictionPolicyNames(), HasSubstr(policy.name));
  }
}

TEST(EvictionPolicyTest, NeverEvictsNothing) {
  EXPECT_THAT(Choose("never", {Candidate(1, 100, 1)}, 1), IsEmpty());
}

TEST(EvictionPolicyTest, LruTakesTheOldestFirstAndNoMoreThanNeeded) {
  const std::vector<EvictionCandidate> candidates = {Candidate(1, 100, 30), Candidate(2, 100, 10),
                                                     Candidate(3, 100, 20)};
  EXPECT_THAT(Choose("lru", candidates, 150), ElementsAre(2, 3));
  EXPECT_THAT(Choose("lru", candidates, 100), ElementsAre(2));
  EXPECT_THAT(Choose("lru", candidates, 300), ElementsAre(2, 3, 1));
}

TEST(EvictionPolicyTest, LruTellsApartWhatWasUsedAMicrosecondLaterAfterAYearOfUptime) {
  std::vector<EvictionCandidate> candidates = {Candidate(1, 10, 0), Candidate(2, 10, 0)};
  const TimePoint year = At(366 * 24 * 3600);
  candidates[0].last_used = year + std::chrono::microseconds(1);
  candidates[1].last_used = year;
  EXPECT_THAT(Choose("lru", candidates, 10), ElementsAre(2));
}

TEST(EvictionPolicyTest, FifoTakesTheOneThatCameFirstHoweverItIsUsed) {
  std::vector<EvictionCandidate> candidates = {Candidate(1, 100, 30), Candidate(2, 100, 10)};
  candidates[0].resident_since = At(1);
  candidates[1].resident_since = At(2);
  EXPECT_THAT(Choose("fifo", candidates, 100), ElementsAre(1));
}

TEST(EvictionPolicyTest, LcuCountsOpensOfEarlierResidencesToo) {
  std::vector<EvictionCandidate> candidates = {Candidate(1, 100, 1), Candidate(2, 100, 2)};
  candidates[0].history.opens = 3;
  candidates[1].opens = 2;
  EXPECT_THAT(Choose("lcu", candidates, 100), ElementsAre(2));
}

TEST(EvictionPolicyTest, FlushTakesAllAsSoonAsAnyRoomIsNeeded) {
  const std::vector<EvictionCandidate> candidates = {Candidate(1, 100, 30), Candidate(2, 100, 10)};
  EXPECT_THAT(Choose("flush", candidates, 1), ElementsAre(2, 1));
  EXPECT_THAT(Choose("flush", candidates, 0), IsEmpty());
  EXPECT_THAT(Choose("flush", candidates, 201), IsEmpty());
}

TEST(EvictionPolicyTest, OnlyEagerKeepsNothingBeyondItsLastLease) {
  for (const EvictionPolicy& policy : EvictionPolicies()) {
    EXPECT_EQ(policy.keeps, policy.name != "eager") << policy.name;
  }
}

TEST(EvictionPolicyTest, GdsfKeepsWhatIsOpenedMoreCostsMoreAndIsSmaller) {
  std::vector<EvictionCandidate> two = {Candidate(1, 100, 1), Candidate(2, 100, 2)};
  for (EvictionCandidate& candidate : two) candidate.reload_time = std::chrono::seconds(1);
  two[0].opens = 2;
  EXPECT_THAT(Choose("gdsf", two, 1), ElementsAre(2));
  two[1].reload_time = std::chrono::seconds(3);
  EXPECT_THAT(Choose("gdsf", two, 1), ElementsAre(1));
  two[0].bytes = 10;
  EXPECT_THAT(Choose("gdsf", two, 1), ElementsAre(2));
}

TEST(EvictionPolicyTest, GdsfForgetsWhatWasPopularOnce) {
  std::vector<EvictionCandidate> two = {Candidate(1, 1, 1), Candidate(2, 1, 2)};
  for (EvictionCandidate& candidate : two) candidate.reload_time = std::chrono::seconds(1);
  two[0].opens = 50;
  two[1].age_at_last_use = 40;
  EXPECT_THAT(Choose("gdsf", two, 1), ElementsAre(2));
  two[1].age_at_last_use = 50;
  EXPECT_THAT(Choose("gdsf", two, 1), ElementsAre(1));
}

EvictionCandidate Loaded(uint64_t id, uint64_t opens) {
  EvictionCandidate candidate = Candidate(id, 10, 1);
  candidate.loaded_as = id;
  candidate.opens = opens;
  candidate.residents_at_last_use = 4;
  return candidate;
}

TEST(EvictionPolicyTest, S3FifoLetsThoseThatAreOpenedOnceGoFirst) {
  const std::vector<EvictionCandidate> candidates = {Loaded(1, 2), Loaded(2, 1), Loaded(3, 1)};
  EXPECT_THAT(Choose("s3fifo", candidates, 20), ElementsAre(2, 3));
}

TEST(EvictionPolicyTest, S3FifoSparesProbationWhileItHoldsItsShareOrLess) {
  std::vector<EvictionCandidate> candidates;
  for (uint64_t id = 1; id <= 10; ++id) candidates.push_back(Loaded(id, id == 10 ? 1 : 2));
  EXPECT_THAT(Choose("s3fifo", candidates, 10), ElementsAre(1));
}

TEST(EvictionPolicyTest, S3FifoGivesAPassForEachFurtherOpenThreeAtMost) {
  EXPECT_THAT(Choose("s3fifo", {Loaded(1, 2), Loaded(4, 2), Loaded(6, 2)}, 20), ElementsAre(1, 4));
  EXPECT_THAT(Choose("s3fifo", {Loaded(1, 3), Loaded(4, 2)}, 10), ElementsAre(4));
  EXPECT_THAT(Choose("s3fifo", {Loaded(1, 400), Loaded(10, 4)}, 10), ElementsAre(1));
}

TEST(EvictionPolicyTest, S3FifoTakesOneThatComesBackIntoTheMainQueue) {
  EvictionCandidate again = Loaded(1, 1);
  again.history.evictions = 1;
  EXPECT_THAT(Choose("s3fifo", {again, Loaded(2, 1)}, 10), ElementsAre(2));
}

TEST(EvictionPolicyTest, WorthKeepsWhatIsUsedMoreAndCostsMore) {
  std::vector<EvictionCandidate> two = {Candidate(1, 100, 1), Candidate(2, 100, 2)};
  for (EvictionCandidate& candidate : two) {
    candidate.reload_time = std::chrono::seconds(1);
    candidate.frequency = 3;
  }
  two[0].frequency = 3.5;
  EXPECT_THAT(Choose("worth", two, 1), ElementsAre(2));
  two[1].reload_time = std::chrono::seconds(2);
  EXPECT_THAT(Choose("worth", two, 1), ElementsAre(1));
}

TEST(EvictionPolicyTest, WorthPrefersALargeOneWhoseReloadCostsAsMuchByTheByte) {
  std::vector<EvictionCandidate> two = {Candidate(1, 1 << 20, 1), Candidate(2, 8 << 20, 1)};
  for (EvictionCandidate& candidate : two) {
    candidate.frequency = 1;
    candidate.reload_time = std::chrono::nanoseconds(candidate.bytes);
  }
  EXPECT_THAT(Choose("worth", two, 1), ElementsAre(1));
}

TEST(EvictionPolicyTest, WhatWasNeverOpenedIsWorthNothing) {
  std::vector<EvictionCandidate> two = {Candidate(1, 100, 1), Candidate(2, 100, 2)};
  two[0].frequency = -1000;
  EXPECT_THAT(Choose("worth", two, 1), ElementsAre(2));
}

}  // namespace
}  // namespace trims
