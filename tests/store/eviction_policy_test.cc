#include "store/eviction_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TimePoint At(int seconds) { return TimePoint(std::chrono::seconds(seconds)); }

std::unique_ptr<EvictionPolicy> Make(std::string_view name) {
  Result<std::unique_ptr<EvictionPolicy>> policy = MakeEvictionPolicy(name);
  EXPECT_TRUE(policy.ok());
  return *std::move(policy);
}

TEST(EvictionPolicyTest, AnUnknownNameIsRefusedAndTheKnownOnesAreNamed) {
  const Status status = MakeEvictionPolicy("mru").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.ToString(), HasSubstr("mru"));
  EXPECT_THAT(status.hint(), HasSubstr("lru"));
}

TEST(EvictionPolicyTest, NamesAreThoseTheyWereMadeBy) {
  EXPECT_EQ(Make("lru")->name(), "lru");
  EXPECT_EQ(Make("never")->name(), "never");
}

TEST(EvictionPolicyTest, NeverEvictsNothing) {
  const std::vector<EvictionCandidate> candidates = {{1, 100, At(1), 1}};
  EXPECT_THAT(Make("never")->Choose(candidates, 1), IsEmpty());
}

TEST(EvictionPolicyTest, LruTakesTheOldestFirstAndNoMoreThanNeeded) {
  const std::vector<EvictionCandidate> candidates = {
      {1, 100, At(30), 1}, {2, 100, At(10), 9}, {3, 100, At(20), 1}};
  EXPECT_THAT(Make("lru")->Choose(candidates, 150), ElementsAre(2, 3));
  EXPECT_THAT(Make("lru")->Choose(candidates, 100), ElementsAre(2));
  EXPECT_THAT(Make("lru")->Choose(candidates, 300), ElementsAre(2, 3, 1));
}

TEST(EvictionPolicyTest, LruEvictsNothingWhereAllWouldNotDo) {
  const std::vector<EvictionCandidate> candidates = {{1, 100, At(1), 1}, {2, 50, At(2), 1}};
  EXPECT_THAT(Make("lru")->Choose(candidates, 151), IsEmpty());
  EXPECT_THAT(Make("lru")->Choose({}, 1), IsEmpty());
}

TEST(EvictionPolicyTest, LruNeedsNothingForNothing) {
  const std::vector<EvictionCandidate> candidates = {{1, 100, At(1), 1}};
  EXPECT_THAT(Make("lru")->Choose(candidates, 0), IsEmpty());
}

TEST(EvictionPolicyTest, LruSparesWhatFreesNothing) {
  const std::vector<EvictionCandidate> candidates = {{1, 0, At(1), 1}, {2, 10, At(2), 1}};
  EXPECT_THAT(Make("lru")->Choose(candidates, 10), ElementsAre(2));
}

TEST(EvictionPolicyTest, LruDecidesTheSameForEveryOrderOfTheCandidates) {
  std::vector<EvictionCandidate> candidates = {
      {3, 10, At(5), 1}, {1, 10, At(5), 1}, {2, 10, At(5), 1}};
  std::sort(candidates.begin(), candidates.end(),
            [](const auto& a, const auto& b) { return a.segment < b.segment; });
  do {
    EXPECT_THAT(Make("lru")->Choose(candidates, 15), ElementsAre(1, 2));
  } while (
      std::next_permutation(candidates.begin(), candidates.end(),
                            [](const auto& a, const auto& b) { return a.segment < b.segment; }));
}

TEST(EvictionPolicyTest, LruPropertiesHoldForRandomSnapshots) {
  std::mt19937 random(7);
  const std::unique_ptr<EvictionPolicy> lru = Make("lru");
  for (int round = 0; round < 2000; ++round) {
    std::vector<EvictionCandidate> candidates;
    std::map<uint64_t, EvictionCandidate> by_id;
    uint64_t total = 0;
    for (uint64_t id = 0; id < random() % 20; ++id) {
      candidates.push_back({id, random() % 1000, At(static_cast<int>(random() % 8)), 1});
      by_id[id] = candidates.back();
      total += candidates.back().bytes;
    }
    const uint64_t needed = random() % 6000;
    const std::vector<uint64_t> chosen = lru->Choose(candidates, needed);
    ASSERT_EQ(chosen.empty(), needed == 0 || needed > total);
    uint64_t freed = 0;
    for (size_t i = 0; i < chosen.size(); ++i) {
      ASSERT_LT(freed, needed) << "one more than needed";
      ASSERT_EQ(by_id.count(chosen[i]), 1u) << "chosen twice, or no candidate";
      freed += by_id[chosen[i]].bytes;
      const TimePoint used = by_id[chosen[i]].last_used;
      by_id.erase(chosen[i]);
      for (const auto& [id, other] : by_id) {
        if (other.bytes > 0) {
          ASSERT_LE(used, other.last_used) << "an older one was left";
        }
      }
    }
    if (!chosen.empty()) {
      ASSERT_GE(freed, needed);
    }
  }
}

}  // namespace
}  // namespace trims
