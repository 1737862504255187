// Room: who is let in, who has to go for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kPage;
using test::Outcome;
using ::testing::HasSubstr;

class ManagerRoom : public test::ManagerFixture {};

TEST_F(ManagerRoom, RefusesWhatCanNeverFitWithBothNumbers) {
  Know("a", 'a', 11);
  Start(10);
  auto open = Open("a");
  EXPECT_EQ(open->status.code(), StatusCode::kTooLarge);
  EXPECT_THAT(open->status.message(), HasSubstr(std::to_string(11 * kPage)));
  EXPECT_THAT(open->status.message(), HasSubstr(std::to_string(10 * kPage)));
  EXPECT_EQ(tier_->started, 0);
}

TEST_F(ManagerRoom, EvictsTheLeastRecentlyUsedAndWaitsUntilItIsGone) {
  for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}})
    Know(name, digit, 4);
  Start(8);
  OpenResident("a");
  clock_.Advance(milliseconds(1));
  OpenResident("b");
  clock_.Advance(milliseconds(1));
  OpenResident("a");  // now b is the older one
  auto c = Open("c");
  EXPECT_EQ(StateOf("b"), "draining");
  EXPECT_EQ(StateOf("c"), "reserved");
  EXPECT_EQ(tier_->fills.size(), 0u) << "loads before the memory is gone";
  EXPECT_EQ(Used(), 8u);
  tier_->FinishRelease();
  EXPECT_EQ(StateOf("c"), "loading");
  tier_->Finish();
  EXPECT_TRUE(c->lease);
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(StateOf("b"), "absent");
  EXPECT_EQ(Count().evictions, 1u);
}

TEST_F(ManagerRoom, NeverEvictsWhatIsInUse) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8);
  auto a = OpenResident("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(b->status.message(), HasSubstr(std::to_string(5 * kPage) + " bytes are in use by 1"));
  EXPECT_EQ(StateOf("b"), "absent");
  a->lease.reset();
  b = Open("b");
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(b->lease);
}

TEST_F(ManagerRoom, LoadsOnTheirWayHoldTheirRoom) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8);
  auto a = Open("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  tier_->Finish();
  EXPECT_TRUE(a->lease);
}

TEST_F(ManagerRoom, PolicyNeverKeepsIdleSegments) {
  Know("a", 'a', 5);
  Know("b", 'b', 4);
  Start(8, Reclaim::kLazy, FindEvictionPolicy("never").value());
  OpenResident("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(b->status.message(), HasSubstr("policy 'never'"));
}

// Its order is nonsense, what it gives up is not: whoever is admitted gets room.
TEST_F(ManagerRoom, APolicyThatMisbehavesLeavesNobodyWaitingForRoom) {
  constexpr EvictionPolicy kNonsense{"nonsense", "", [](const EvictionCandidate&) {
                                       return std::numeric_limits<double>::quiet_NaN();
                                     }};
  for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}, {"d", 'd'}})
    Know(name, digit, 4);
  Start(8, Reclaim::kLazy, &kNonsense);
  auto a = OpenResident("a");
  OpenResident("b");
  auto c = Open("c");
  EXPECT_EQ(StateOf("b"), "draining");
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(c->lease);
  EXPECT_EQ(Open("d")->status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(StateOf("d"), "absent");
}

TEST_F(ManagerRoom, APolicySeesWhatASegmentWasUsedForBeforeItWasEvicted) {
  static UseHistory seen_of_a;
  constexpr EvictionPolicy kWatching{"watching", "", [](const EvictionCandidate& candidate) {
                                       if (candidate.history.evictions > 0) {
                                         seen_of_a = candidate.history;
                                         EXPECT_EQ(candidate.age_at_last_use, 1);
                                       }
                                       EXPECT_EQ(candidate.reload_time, milliseconds(3));
                                       return 1.0;
                                     }};
  Know("a", 'a', 4);
  Know("b", 'b', 8);
  Start(8, Reclaim::kLazy, &kWatching);
  const auto load = [&](const std::string& name) {
    auto opened = Open(name);
    if (!tier_->releases.empty()) tier_->FinishRelease();
    clock_.Advance(milliseconds(3));
    tier_->Finish();
    EXPECT_TRUE(opened->lease);
  };
  load("a");
  load("b");  // evicts a
  Remove("b");
  tier_->FinishRelease();
  load("a");
  Know("c", 'c', 8);
  Open("c");
  EXPECT_EQ(seen_of_a.opens, 1u);
  EXPECT_EQ(seen_of_a.evictions, 1u);
}

// Random opens, ends, failures and deadlines: the parts always make the whole, and at the end
// nothing is missing.
TEST_F(ManagerRoom, BudgetComesBackAfterAnything) {
  for (int i = 0; i < 6; ++i)
    Know(std::string(1, static_cast<char>('p' + i)), static_cast<char>('a' + i), 2 + i);
  Start(12);
  std::mt19937 random(7);
  std::vector<std::shared_ptr<Outcome>> opens;
  for (int step = 0; step < 3000; ++step) {
    const auto choice = random() % 6;
    if (choice <= 1)
      opens.push_back(
          Open(std::string(1, static_cast<char>('p' + random() % 6)), milliseconds(50)));
    if (choice == 2 && !tier_->fills.empty()) tier_->Finish();
    if (choice == 3 && !tier_->releases.empty()) tier_->FinishRelease();
    if ((choice == 4 || opens.size() > 3) && !opens.empty())
      opens.erase(opens.begin() + random() % opens.size());
    if (choice == 5 && random() % 4 == 0 && !tier_->fills.empty())
      tier_->Fail(StatusCode::kDataLoss);
    if (choice == 5) timers_.Advance(milliseconds(random() % 30));
    const TierSnapshot host = Host();
    EXPECT_EQ(host.used_bytes,
              host.use.leased + host.use.idle + host.use.loading + host.use.draining);
    ASSERT_LE(host.used_bytes, 12 * kPage);
  }
  EXPECT_GT(Count().evictions, 10u);
  for (bool busy = true; busy;) {
    busy = false;
    if (!tier_->fills.empty()) tier_->Finish(), busy = true;
    if (!tier_->releases.empty()) tier_->FinishRelease(), busy = true;
  }
  opens.clear();
  EXPECT_TRUE(manager_->Idle());
  EXPECT_EQ(timers_.pending(), 0u);
  for (char name = 'p'; name < 'p' + 6; ++name) {
    Remove(std::string(1, name));
  }
  while (!tier_->releases.empty()) tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
  EXPECT_EQ(manager_->Snapshot().segments.size(), 0u);
}

}  // namespace
}  // namespace trims
