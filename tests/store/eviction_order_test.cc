#include "store/eviction_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>

namespace trims {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Candidates = std::map<uint64_t, EvictionCandidate>;

EvictionCandidate OrderCandidate(uint64_t id, uint64_t bytes, int last_used) {
  EvictionCandidate candidate;
  candidate.segment = id;
  candidate.bytes = bytes;
  candidate.last_used = TimePoint(std::chrono::seconds(last_used));
  return candidate;
}

std::vector<uint64_t> Chosen(const EvictionOrder& order, uint64_t needed) {
  std::vector<uint64_t> segments;
  for (const Victim& victim : order.Choose(needed)) segments.push_back(victim.segment);
  return segments;
}

std::vector<uint64_t> Chosen(const EvictionPolicy& policy,
                             const std::vector<EvictionCandidate>& candidates, uint64_t needed) {
  EvictionOrder order(&policy);
  for (const EvictionCandidate& candidate : candidates) order.Insert(candidate);
  return Chosen(order, needed);
}

const EvictionPolicy& Lru() { return *FindEvictionPolicy("lru").value(); }

constexpr EvictionPolicy kNotANumber{
    "nan", "", [](const EvictionCandidate& candidate) {
      return candidate.segment % 2 == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0;
    }};
constexpr EvictionPolicy kConstant{"constant", "", [](const EvictionCandidate&) { return 1.0; }};

// All that there are, and some that nobody should write.
std::vector<EvictionPolicy> PoliciesAndWorse() {
  std::vector<EvictionPolicy> all(EvictionPolicies().begin(), EvictionPolicies().end());
  all.push_back(kNotANumber);
  all.push_back(kConstant);
  return all;
}

TEST(EvictionOrderTest, NobodyGoesWhereAllWouldNotDo) {
  EXPECT_THAT(Chosen(Lru(), {OrderCandidate(1, 100, 1), OrderCandidate(2, 50, 2)}, 151), IsEmpty());
  EXPECT_THAT(Chosen(Lru(), {}, 1), IsEmpty());
}

TEST(EvictionOrderTest, NobodyGoesForNothing) {
  EXPECT_THAT(Chosen(Lru(), {OrderCandidate(1, 100, 1)}, 0), IsEmpty());
}

TEST(EvictionOrderTest, WhatFreesNothingIsSpared) {
  EXPECT_THAT(Chosen(Lru(), {OrderCandidate(1, 0, 1), OrderCandidate(2, 10, 2)}, 10),
              ElementsAre(2));
}

TEST(EvictionOrderTest, NotANumberGoesLast) {
  EXPECT_THAT(
      Chosen(kNotANumber,
             {OrderCandidate(2, 10, 1), OrderCandidate(1, 10, 2), OrderCandidate(4, 10, 3)}, 20),
      ElementsAre(1, 2));
}

TEST(EvictionOrderTest, WhatWasNotAdmittedGoesFirstWhateverItRanks) {
  EvictionCandidate late = OrderCandidate(1, 10, 9);
  late.admitted = false;
  EXPECT_THAT(Chosen(Lru(), {late, OrderCandidate(2, 10, 1)}, 15), ElementsAre(1, 2));
}

TEST(EvictionOrderTest, WhoIsHeldAgainIsNotChosenAndComesBackWhereItsLastUsePutsIt) {
  EvictionOrder order(&Lru());
  order.Insert(OrderCandidate(1, 10, 1));
  order.Insert(OrderCandidate(2, 10, 2));
  order.Erase(1);
  order.Erase(7);
  EXPECT_THAT(Chosen(order, 10), ElementsAre(2));
  EXPECT_THAT(Chosen(order, 20), IsEmpty());
  order.Insert(OrderCandidate(1, 10, 3));
  order.Insert(OrderCandidate(1, 10, 0));  // it is there already
  EXPECT_EQ(order.bytes(), 20u);
  EXPECT_THAT(Chosen(order, 20), ElementsAre(2, 1));
}

TEST(EvictionOrderTest, AChoiceEvictsNothing) {
  EvictionOrder order(&Lru());
  order.Insert(OrderCandidate(1, 10, 1));
  EXPECT_EQ(Chosen(order, 10), Chosen(order, 10));
  EXPECT_EQ(order.size(), 1u);
}

EvictionCandidate RandomCandidate(uint64_t id, std::mt19937* random) {
  EvictionCandidate candidate =
      OrderCandidate(id, (*random)() % 1000, static_cast<int>((*random)() % 8));
  candidate.resident_since = TimePoint(std::chrono::seconds((*random)() % 8));
  candidate.opens = (*random)() % 4;
  candidate.reload_time = std::chrono::milliseconds((*random)() % 1000);
  candidate.admitted = (*random)() % 8 != 0;
  candidate.frequency = (*random)() % 10 == 0 ? kNeverUsed : (*random)() % 10;
  candidate.age_at_last_use = static_cast<double>((*random)() % 10);
  candidate.loaded_as = (*random)() % 20;
  candidate.residents_at_last_use = (*random)() % 10;
  candidate.history.opens = (*random)() % 4;
  candidate.history.evictions = (*random)() % 2;
  return candidate;
}

// The decision by its definition: all are sorted, and whoever is first among those whose turn it is goes.
class SortOfAll {
 public:
  SortOfAll(const EvictionPolicy& policy, const Candidates& candidates) : policy_(policy) {
    for (const auto& [id, candidate] : candidates) {
      if (candidate.bytes > 0 && policy.rank != nullptr) left_.push_back(candidate);
    }
    std::sort(left_.begin(), left_.end(), [&](const auto& a, const auto& b) {
      return std::pair(Rank(a), a.segment) < std::pair(Rank(b), b.segment);
    });
  }

  std::vector<Victim> Choose(uint64_t needed) {
    std::vector<Victim> victims;
    uint64_t freed = 0;
    while (needed > 0 && !left_.empty() && (freed < needed || policy_.takes_all)) {
      const auto next = Next();
      victims.push_back({next->segment, Rank(*next)});
      freed += next->bytes;
      left_.erase(next);
    }
    return freed < needed ? std::vector<Victim>() : victims;
  }

 private:
  double Rank(const EvictionCandidate& candidate) const {
    const double rank = policy_.rank(candidate);
    return std::isnan(rank) ? std::numeric_limits<double>::infinity() : rank;
  }
  bool OnProbation(const EvictionCandidate& candidate) const {
    return policy_.on_probation != nullptr && policy_.on_probation(candidate);
  }
  std::vector<EvictionCandidate>::iterator Next() {
    const auto first = [&](auto is) { return std::find_if(left_.begin(), left_.end(), is); };
    const auto not_admitted = first([](const auto& each) { return !each.admitted; });
    if (not_admitted != left_.end()) return not_admitted;
    double bytes = 0;
    double probation = 0;
    for (const auto& each : left_) {
      bytes += static_cast<double>(each.bytes);
      probation += OnProbation(each) ? static_cast<double>(each.bytes) : 0;
    }
    const bool turn = probation > kProbationShare * bytes;
    const auto next = first([&](const auto& each) { return OnProbation(each) == turn; });
    return next == left_.end() ? left_.begin() : next;
  }

  const EvictionPolicy& policy_;
  std::vector<EvictionCandidate> left_;
};

// Leases that come and go, in any order: after each, the order decides as the sort of all would.
TEST(EvictionOrderTest, DecidesAsTheSortOfAllDoesHoweverLeasesComeAndGo) {
  for (const EvictionPolicy& policy : PoliciesAndWorse()) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(std::string(policy.name) + ", seed " + std::to_string(seed));
      std::mt19937 random(seed);
      EvictionOrder order(&policy);
      Candidates candidates;
      for (int step = 0; step < 400; ++step) {
        const uint64_t id = random() % 25;
        order.Erase(id);
        candidates.erase(id);
        if (random() % 3 != 0) {
          candidates[id] = RandomCandidate(id, &random);
          order.Insert(candidates[id]);
        }
        const uint64_t needed = random() % 8000;
        ASSERT_EQ(order.Choose(needed), SortOfAll(policy, candidates).Choose(needed)) << step;
      }
    }
  }
}

}  // namespace
}  // namespace trims
