// A budget that is changed while the daemon runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kPage;
using ::testing::HasSubstr;

class ManagerBudget : public test::ManagerFixture {
 protected:
  void KnowAll() {
    for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}})
      Know(name, digit, 4);
  }
  Result<TierSnapshot> Budget(const std::string& text) {
    return manager_->ChangePolicy({}, {.budget = text});
  }
  Result<TierSnapshot> BudgetOfPages(uint64_t pages) {
    return Budget(std::to_string(pages * kPage));
  }
};

TEST_F(ManagerBudget, WhatIsBeyondALowerOneGoesByThePolicyAsFarAsNobodyHoldsIt) {
  KnowAll();
  Start(12, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  auto held = OpenResident("a");
  OpenResident("b");
  clock_.Advance(milliseconds(1));
  OpenResident("c");
  const Result<TierSnapshot> lowered = BudgetOfPages(8);
  ASSERT_TRUE(lowered.ok()) << lowered.status().ToString();
  EXPECT_EQ(lowered->budget_bytes, 8 * kPage);
  EXPECT_EQ(StateOf("b"), "draining");
  EXPECT_EQ(StateOf("c"), "resident");
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 8u);
  EXPECT_EQ(Count().evictions, 1u);
}

TEST_F(ManagerBudget, TheRestGoesWithItsLeasesAndNewLoadsAreRefusedWithTheNumbers) {
  KnowAll();
  Start(8);
  auto a = OpenResident("a");
  auto b = OpenResident("b");
  ASSERT_TRUE(BudgetOfPages(4).ok());
  EXPECT_EQ(StateOf("a"), "resident");
  auto refused = Open("c");
  EXPECT_EQ(refused->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused->status.message(),
              HasSubstr(std::to_string(4 * kPage) + " bytes are in use beyond its budget"));
  auto again = Open("a");
  EXPECT_TRUE(again->lease) << "what is there is served";
  again->lease.reset();
  EXPECT_EQ(StateOf("a"), "resident") << "it is leased still";
  a->lease.reset();
  EXPECT_EQ(StateOf("a"), "draining");
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 4u);
  b->lease.reset();
  EXPECT_EQ(StateOf("b"), "resident") << "it fits";
}

TEST_F(ManagerBudget, WhatWaitsForRoomThatThereNoLongerIsIsRefused) {
  KnowAll();
  Start(8);
  OpenResident("a");
  OpenResident("b");
  auto c = Open("c");  // a or b is being freed for it
  EXPECT_FALSE(c->called);
  ASSERT_TRUE(BudgetOfPages(3).ok());
  EXPECT_TRUE(c->called);
  EXPECT_EQ(c->status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(StateOf("c"), "absent");
  while (!tier_->releases.empty()) tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
  EXPECT_EQ(Open("c")->status.code(), StatusCode::kTooLarge);
}

TEST_F(ManagerBudget, WhoIsAdmittedStillGetsTheRoomOfOthers) {
  KnowAll();
  Start(12);
  OpenResident("a");
  OpenResident("b");
  OpenResident("c");
  Know("d", 'd', 4);
  auto d = Open("d");
  ASSERT_TRUE(BudgetOfPages(4).ok());
  EXPECT_FALSE(d->called);
  while (!tier_->releases.empty()) tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(d->lease);
  EXPECT_EQ(Used(), 4u);
}

TEST_F(ManagerBudget, ALoadOnItsWayIsServedAndGoesAfterThat) {
  KnowAll();
  Start(8);
  auto a = Open("a");
  ASSERT_TRUE(BudgetOfPages(1).ok());
  tier_->Finish();
  ASSERT_TRUE(a->lease);
  a->lease.reset();
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(ManagerBudget, APolicyThatGivesNothingUpGivesWayToAnOperatorsWord) {
  KnowAll();
  Start(8, Reclaim::kLazy, FindEvictionPolicy("never").value());
  OpenResident("a");
  clock_.Advance(milliseconds(1));
  OpenResident("b");
  ASSERT_TRUE(BudgetOfPages(4).ok());
  EXPECT_EQ(StateOf("a"), "draining") << "it was used longer ago";
  EXPECT_EQ(StateOf("b"), "resident");
}

TEST_F(ManagerBudget, UnderPressureASmallerOneGoesWhereALargeOneWouldLeaveLessThanTheFloor) {
  Know("large", 'a', 6);
  Know("small", 'b', 2);
  Start(16, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  OpenResident("large");
  clock_.Advance(milliseconds(1));
  OpenResident("small");
  manager_->RelievePressure(9 * kPage);
  EXPECT_EQ(StateOf("small"), "resident") << "the floor is above what is there";
  manager_->RelievePressure(5 * kPage);
  EXPECT_EQ(StateOf("large"), "resident") << "two pages would be left";
  EXPECT_EQ(StateOf("small"), "draining");
  manager_->RelievePressure(0);
  EXPECT_EQ(StateOf("large"), "draining");
}

TEST_F(ManagerBudget, UnderPressureAllThatGoesAtOnceGoesNoFurtherThanTheFloor) {
  for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}})
    Know(name, digit, 2);
  Start(16, Reclaim::kLazy, FindEvictionPolicy("flush").value());
  for (const char* name : {"a", "b", "c"}) {
    OpenResident(name);
    clock_.Advance(milliseconds(1));
  }
  manager_->RelievePressure(0);
  EXPECT_EQ(StateOf("a"), "draining");
  EXPECT_EQ(StateOf("b"), "resident") << "a step at a time";
}

TEST_F(ManagerBudget, UnderPressureWhatNobodyHoldsGoesInStepsDownToTheFloor) {
  for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}, {"d", 'd'}})
    Know(name, digit, 2);
  Start(16, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  for (const char* name : {"a", "b", "c"}) {
    OpenResident(name);
    clock_.Advance(milliseconds(1));
  }
  auto d = OpenResident("d");
  manager_->RelievePressure(4 * kPage);  // a step is two pages
  EXPECT_EQ(StateOf("a"), "draining");
  EXPECT_EQ(StateOf("b"), "resident");
  manager_->RelievePressure(4 * kPage);
  EXPECT_EQ(StateOf("b"), "draining") << "what drains already is no more of it";
  manager_->RelievePressure(4 * kPage);
  EXPECT_EQ(StateOf("c"), "resident") << "the floor";
  manager_->RelievePressure(0);
  manager_->RelievePressure(0);
  EXPECT_EQ(StateOf("c"), "draining");
  EXPECT_EQ(StateOf("d"), "resident") << "it is leased";
  EXPECT_EQ(Host().budget_bytes, 16 * kPage) << "the next load may have it all";
  const PressureSnapshot pressure = manager_->Snapshot().pressure;
  EXPECT_EQ(pressure.events, 5u);
  EXPECT_EQ(pressure.bytes_given_up, 6 * kPage);
}

TEST_F(ManagerBudget, AHigherOneServesAtOnce) {
  KnowAll();
  Start(4);
  auto a = OpenResident("a");
  EXPECT_EQ(Open("b")->status.code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(BudgetOfPages(8).ok());
  EXPECT_TRUE(OpenResident("b")->lease);
}

TEST_F(ManagerBudget, WhatIsNoBudgetChangesNothing) {
  Start(8);
  for (const char* text : {"0", "much", "-1", "8 apples"}) {
    const Result<TierSnapshot> refused =
        manager_->ChangePolicy({}, {.eviction = "lru", .budget = text});
    EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(Host().budget_bytes, 8 * kPage);
  EXPECT_EQ(Host().policy.eviction, DefaultEvictionPolicy());
  const wire::Principal stranger{.uid = 12345, .gid = 1, .pid = 1};
  EXPECT_EQ(manager_->ChangePolicy(stranger, {.budget = "1GiB"}).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(manager_->ChangeDiskBudget({}, "1GiB").status().code(),
            StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace trims
