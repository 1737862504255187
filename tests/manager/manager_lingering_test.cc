// Bytes that have left the tier and that somebody still maps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::kPage;
using test::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr MemoryId kMemory{.device = 1, .inode = 42};

class ManagerLingering : public test::ManagerFixture {
 protected:
  void KnowAll() {
    for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}, {"c", 'c'}})
      Know(name, digit, 4);
  }
  ManagerSnapshot Now() { return manager_->Snapshot(); }
};

TEST_F(ManagerLingering, WhoeverUnmapsAMomentLaterIsNotNoticed) {
  KnowAll();
  Start(8);
  OpenResident("a");
  auto b = OpenResident("b");
  auto c = Open("c");
  tier_->KeepRelease(kMemory);
  timers_.Advance(milliseconds(999));
  EXPECT_FALSE(c->called);
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(c->lease);
  timers_.Advance(seconds(2));
  EXPECT_THAT(Now().lingering, IsEmpty());
  EXPECT_EQ(Host().use.lingering, 0u);
}

TEST_F(ManagerLingering, BytesThatStayCountAgainstTheBudgetAndNameWhoKeepsThem) {
  KnowAll();
  Start(8);
  OpenResident("a");
  auto b = OpenResident("b");
  auto c = Open("c");
  tier_->keepers = {{.pid = ::getpid(), .uid = 7, .program = "keeper", .maps = true}};
  tier_->KeepRelease(kMemory);
  timers_.Advance(seconds(1));
  EXPECT_THAT(tier_->sought, ElementsAre(kMemory));
  ASSERT_TRUE(c->called) << "nobody waits for what may never come";
  EXPECT_EQ(c->status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(StateOf("a"), "absent");
  EXPECT_EQ(StateOf("c"), "absent");
  EXPECT_EQ(Host().use.lingering, 4 * kPage);
  EXPECT_EQ(Host().use.draining, 0u);
  EXPECT_EQ(Used(), 8u);
  const ManagerSnapshot now = Now();
  ASSERT_THAT(now.lingering, SizeIs(1));
  EXPECT_EQ(now.lingering[0].reference, "default/a:v1");
  EXPECT_EQ(now.lingering[0].bytes, 4 * kPage);
  ASSERT_THAT(now.lingering[0].keepers, SizeIs(1));
  EXPECT_EQ(now.lingering[0].keepers[0].program, "keeper");
  c = Open("c");
  EXPECT_THAT(c->status.message(), HasSubstr(std::to_string(4 * kPage) + " bytes linger"));
  EXPECT_THAT(c->status.message(), HasSubstr("(pid " + std::to_string(::getpid()) + ")"));
  b->lease.reset();
  c = Open("c");
  tier_->releases.back().freed();  // b's
  tier_->releases.pop_back();
  tier_->Finish();
  EXPECT_TRUE(c->lease);
  EXPECT_EQ(Used(), 8u);
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 4u) << "the kernel has given a's bytes back";
  EXPECT_THAT(Now().lingering, IsEmpty());
}

TEST_F(ManagerLingering, SomebodyElseGoesForWhoWasPromisedTheirRoom) {
  KnowAll();
  Start(8);
  OpenResident("a");
  clock_.Advance(milliseconds(1));
  OpenResident("b");
  auto c = Open("c");
  EXPECT_EQ(StateOf("a"), "draining");
  tier_->KeepRelease(kMemory);
  timers_.Advance(seconds(1));
  EXPECT_EQ(StateOf("b"), "draining");
  EXPECT_FALSE(c->called);
  tier_->releases.back().freed();
  tier_->releases.pop_back();
  tier_->Finish();
  EXPECT_TRUE(c->lease);
}

TEST_F(ManagerLingering, WhatIsOpenedAgainIsLoadedAgainWhereThereIsRoom) {
  KnowAll();
  Start(8);
  auto a = OpenResident("a");
  a->lease->SetHolder(
      std::make_shared<const Holder>(Holder{.client = "function", .uid = 1, .pid = 4'000'000'000}));
  a->lease.reset();
  ASSERT_TRUE(manager_->Evict({}, {.reference = "a"}).ok());
  auto again = Open("a");
  EXPECT_FALSE(again->called);
  tier_->KeepRelease(kMemory);
  timers_.Advance(seconds(1));
  EXPECT_EQ(StateOf("a"), "loading");
  tier_->Finish();
  EXPECT_TRUE(again->lease);
  const ManagerSnapshot now = Now();
  ASSERT_THAT(now.lingering, SizeIs(1));
  ASSERT_THAT(now.lingering[0].last_holders, SizeIs(1));
  EXPECT_EQ(now.lingering[0].last_holders[0].client, "function");
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 4u);
  EXPECT_EQ(StateOf("a"), "resident");
}

TEST_F(ManagerLingering, AKeeperThatHasEndedIsNotNamed) {
  KnowAll();
  Start(8);
  OpenResident("a");
  ASSERT_TRUE(manager_->Evict({}, {.reference = "a"}).ok());
  tier_->keepers = {{.pid = 2'000'000'000, .uid = 7, .program = "gone", .maps = true}};
  tier_->KeepRelease(kMemory);
  timers_.Advance(seconds(1));
  ASSERT_THAT(Now().lingering, SizeIs(1));
  EXPECT_THAT(Now().lingering[0].keepers, IsEmpty());
}

TEST_F(ManagerLingering, OfWhatWasRemovedAndIsLeasedTheHoldersAreNamed) {
  KnowAll();
  Start(8);
  auto a = OpenResident("a");
  auto b = OpenResident("b");
  Remove("a");
  const FindHolders find = [](std::string_view tier, std::string_view) {
    return std::vector<LeaseHolder>{{.client = std::string(tier), .uid = 5, .pid = 6, .leases = 1}};
  };
  size_t named = 0;
  for (const SegmentSnapshot& segment : manager_->Snapshot(find).segments) {
    if (segment.holders.empty()) continue;
    ++named;
    EXPECT_EQ(segment.reference, "default/a:v1");
    EXPECT_TRUE(segment.removed);
    EXPECT_EQ(segment.holders[0].pid, 6);
  }
  EXPECT_EQ(named, 1u);
}

}  // namespace
}  // namespace trims
