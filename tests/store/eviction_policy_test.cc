#include "store/eviction_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

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
  for (const Victim& victim : ChooseVictims(policy, candidates, needed, {})) {
    segments.push_back(victim.segment);
  }
  return segments;
}

std::vector<uint64_t> Choose(std::string_view policy,
                             const std::vector<EvictionCandidate>& candidates, uint64_t needed) {
  return Choose(*FindEvictionPolicy(policy).value(), candidates, needed);
}

constexpr EvictionPolicy kNotANumber{
    "nan", "", [](const EvictionCandidate& candidate, const EvictionContext&) {
      return candidate.segment % 2 == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0;
    }};
constexpr EvictionPolicy kConstant{
    "constant", "", [](const EvictionCandidate&, const EvictionContext&) { return 1.0; }};

// All that there are, and some that nobody should write.
std::vector<EvictionPolicy> PoliciesAndWorse() {
  std::vector<EvictionPolicy> all(EvictionPolicies().begin(), EvictionPolicies().end());
  all.push_back(kNotANumber);
  all.push_back(kConstant);
  return all;
}

TEST(EvictionPolicyTest, EachIsFoundByItsNameAndSaysWhatItDoes) {
  std::set<std::string_view> names;
  for (const EvictionPolicy& policy : EvictionPolicies()) {
    EXPECT_EQ(FindEvictionPolicy(policy.name).value(), &policy);
    EXPECT_THAT(policy.summary, ::testing::SizeIs(::testing::Gt(10u)));
    EXPECT_TRUE(names.insert(policy.name).second) << policy.name;
  }
  EXPECT_EQ(DefaultEvictionPolicy()->name, "lru");
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

TEST(ChooseVictimsTest, NobodyGoesWhereAllWouldNotDo) {
  EXPECT_THAT(Choose("lru", {Candidate(1, 100, 1), Candidate(2, 50, 2)}, 151), IsEmpty());
  EXPECT_THAT(Choose("lru", {}, 1), IsEmpty());
}

TEST(ChooseVictimsTest, NobodyGoesForNothing) {
  EXPECT_THAT(Choose("lru", {Candidate(1, 100, 1)}, 0), IsEmpty());
}

TEST(ChooseVictimsTest, WhatFreesNothingIsSpared) {
  EXPECT_THAT(Choose("lru", {Candidate(1, 0, 1), Candidate(2, 10, 2)}, 10), ElementsAre(2));
}

TEST(ChooseVictimsTest, SumsThatOverflowAreStillEnough) {
  EXPECT_THAT(Choose("lru", {Candidate(1, UINT64_MAX - 1, 1), Candidate(2, 5, 2)}, UINT64_MAX),
              ElementsAre(1, 2));
}

TEST(ChooseVictimsTest, NotANumberGoesLast) {
  EXPECT_THAT(
      Choose(kNotANumber, {Candidate(2, 10, 1), Candidate(1, 10, 2), Candidate(4, 10, 3)}, 20),
      ElementsAre(1, 2));
}

// What the snapshot must carry so that these are a line each.
TEST(ChooseVictimsTest, PoliciesWithAgeingAreOneLineAndForgetWhatWasPopularOnce) {
  constexpr EvictionPolicy kAgedLfu{
      "aged", "", [](const EvictionCandidate& candidate, const EvictionContext&) {
        return candidate.age_at_last_use +
               static_cast<double>(candidate.opens + candidate.history.opens);
      }};
  EvictionCandidate once_popular = Candidate(1, 10, 1);
  once_popular.opens = 50;
  EvictionCandidate current = Candidate(2, 10, 2);
  current.history.opens = 2;
  current.age_at_last_use = 40;
  EXPECT_THAT(Choose(kAgedLfu, {once_popular, current}, 10), ElementsAre(2));
  current.age_at_last_use = 49;
  EXPECT_THAT(Choose(kAgedLfu, {once_popular, current}, 10), ElementsAre(1));
}

TEST(ChooseVictimsTest, EveryOrderOfTheCandidatesGivesTheSameDecision) {
  const auto by_id = [](const auto& a, const auto& b) { return a.segment < b.segment; };
  for (const EvictionPolicy& policy : PoliciesAndWorse()) {
    std::vector<EvictionCandidate> candidates;
    for (uint64_t id = 1; id <= 5; ++id) candidates.push_back(Candidate(id, 10, 5));
    const std::vector<uint64_t> first = Choose(policy, candidates, 25);
    do {
      EXPECT_EQ(Choose(policy, candidates, 25), first) << policy.name;
    } while (std::next_permutation(candidates.begin(), candidates.end(), by_id));
  }
}

std::vector<EvictionCandidate> RandomCandidates(std::mt19937* random) {
  std::vector<EvictionCandidate> candidates((*random)() % 20);
  for (EvictionCandidate& candidate : candidates) {
    candidate.segment = static_cast<uint64_t>(&candidate - candidates.data());
    candidate.bytes = (*random)() % 1000;
    candidate.resident_since = At(static_cast<int>((*random)() % 8));
    candidate.last_used = candidate.resident_since + std::chrono::seconds((*random)() % 8);
    candidate.opens = (*random)() % 4;
    candidate.load_time = std::chrono::milliseconds((*random)() % 1000);
    candidate.age_at_last_use = static_cast<double>((*random)() % 10);
    candidate.history.opens = (*random)() % 4;
    candidate.history.evictions = (*random)() % 3;
    candidate.history.last_used = candidate.last_used;
  }
  return candidates;
}

// Enough, no more than enough, nobody twice, and nobody who ranks above one that is left.
void CheckDecision(const EvictionPolicy& policy, const std::vector<EvictionCandidate>& candidates,
                   uint64_t needed, const EvictionContext& context) {
  uint64_t total = 0;
  std::map<uint64_t, EvictionCandidate> left;
  for (const EvictionCandidate& candidate : candidates) {
    total += candidate.bytes;
    if (candidate.bytes > 0) left[candidate.segment] = candidate;
  }
  const std::vector<Victim> victims = ChooseVictims(policy, candidates, needed, context);
  ASSERT_EQ(victims.empty(), policy.rank == nullptr || needed == 0 || needed > total);
  uint64_t freed = 0;
  for (const auto& [id, rank] : victims) {
    ASSERT_FALSE(std::isnan(rank));
    ASSERT_LT(freed, needed) << "one more than needed";
    ASSERT_EQ(left.count(id), 1u) << "chosen twice, or no candidate";
    freed += left[id].bytes;
    left.erase(id);
    for (const auto& [other, candidate] : left) {
      ASSERT_FALSE(policy.rank(candidate, context) < rank) << "a lower one was left";
    }
  }
  ASSERT_TRUE(victims.empty() || freed >= needed) << freed << " of " << needed;
}

TEST(ChooseVictimsTest, PropertiesHoldForEachPolicyAndRandomSnapshots) {
  for (const EvictionPolicy& policy : PoliciesAndWorse()) {
    SCOPED_TRACE(std::string(policy.name));
    std::mt19937 random(7);
    for (int round = 0; round < 1000 && !::testing::Test::HasFatalFailure(); ++round) {
      const std::vector<EvictionCandidate> candidates = RandomCandidates(&random);
      const EvictionContext context{.now = At(20), .age = static_cast<double>(random() % 10)};
      CheckDecision(policy, candidates, random() % 6000, context);
    }
  }
}

}  // namespace
}  // namespace trims
