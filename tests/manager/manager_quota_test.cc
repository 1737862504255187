// What namespaces may take of a tier, and what is spared when room is needed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::kPage;
using test::Outcome;
using ::testing::HasSubstr;

class ManagerQuota : public test::ManagerFixture {
 protected:
  void KnowIn(const std::string& reference, char digit, uint64_t pages) {
    catalog_.entries.push_front(MakeCatalogEntry(
        reference, "v1",
        test::MakeManifest(test::Digest(digit), {test::MakeVariant(Variant::kFiles, pages - 1)}),
        1));
  }
  void Start(uint64_t pages, Quotas quotas, milliseconds guard = {}) {
    residency_.quotas = std::move(quotas);
    residency_.churn_guard = guard;
    ManagerFixture::Start(pages, Reclaim::kLazy, FindEvictionPolicy("lru").value());
  }
  const NamespaceUse& Use(const std::string& name) {
    snapshot_ = manager_->Snapshot();
    for (const NamespaceSnapshot& each : snapshot_.namespaces) {
      if (each.name == name) return each.use;
    }
    static const NamespaceUse none;
    return none;
  }
  ManagerSnapshot snapshot_;
};

TEST_F(ManagerQuota, OneThatIsGivenLaterKnowsWhatIsHeldAlready) {
  KnowIn("team/a", 'a', 2);
  KnowIn("team/b", 'b', 4);
  Start(8, {});
  auto one = OpenResident("team/a");
  EXPECT_TRUE(manager_->Snapshot().namespaces.empty());
  ASSERT_TRUE(manager_->ChangePolicy({}, {.quota = "team:leases=1"}).ok());
  EXPECT_EQ(Use("team").leases, 1u);
  EXPECT_EQ(Use("team").bytes, 2 * kPage);
  EXPECT_EQ(Open("team/a")->status.code(), StatusCode::kQuotaExceeded);
  ASSERT_TRUE(
      manager_->ChangePolicy({}, {.quota = "team:bytes=" + std::to_string(5 * kPage)}).ok());
  EXPECT_EQ(Open("team/b")->status.code(), StatusCode::kQuotaExceeded) << "4 and 2 are more than 5";
  one->lease.reset();
  EXPECT_EQ(StateOf("team/a"), "resident") << "nothing needs its room yet";
  Open("team/b");
  EXPECT_EQ(StateOf("team/a"), "draining") << "its own namespace does";
  ASSERT_TRUE(manager_->ChangePolicy({}, {.quota = "team:none"}).ok());
  EXPECT_TRUE(manager_->Snapshot().namespaces.empty());
}

TEST_F(ManagerQuota, WhatIsNoQuotaChangesNothing) {
  Start(8, {{"team", {.leases = 2}}});
  const auto change = [&](const std::string& quota, const char* tier = "") {
    return manager_->ChangePolicy({}, {.tier = tier, .quota = quota}).status();
  };
  EXPECT_EQ(manager_->ChangePolicy({}, {.budget = "64KiB", .quota = "team:guaranteed=40KiB"})
                .status()
                .code(),
            StatusCode::kOk)
      << "held against the budget of the same change";
  EXPECT_EQ(manager_->ChangePolicy({}, {.budget = "32KiB"}).status().code(), StatusCode::kOk);
  EXPECT_EQ(change("team:guaranteed=36KiB").code(), StatusCode::kOk) << "less than before";
  EXPECT_EQ(change("team:guaranteed=44KiB").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(change("team:leases=2").code(), StatusCode::kOk);
  EXPECT_EQ(change("other:none").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(change("team:leases=x").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(change("team:leases=3", "host").code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(change("team:guaranteed=9TiB").message(), HasSubstr("guarantee"));
  EXPECT_EQ(Host().quotas, (Quotas{{"team", {.leases = 2}}}));
  EXPECT_EQ(manager_->ChangePolicy(wire::Principal{.uid = 4242}, {.quota = "team:leases=3"})
                .status()
                .code(),
            StatusCode::kPermissionDenied);
}

TEST_F(ManagerQuota, LeasesBeyondItAreRefusedWithTheNumbers) {
  KnowIn("team/a", 'a', 2);
  KnowIn("other/b", 'b', 2);
  Start(8, {{"team", {.leases = 2}}});
  auto one = OpenResident("team/a");
  auto two = Open("team/a");
  ASSERT_TRUE(two->lease);
  auto three = Open("team/a");
  EXPECT_EQ(three->status.code(), StatusCode::kQuotaExceeded);
  EXPECT_THAT(three->status.message(), HasSubstr("has 2 leases of 2"));
  EXPECT_TRUE(OpenResident("other/b")->lease);
  EXPECT_EQ(Use("team").leases, 2u);
  EXPECT_EQ(Use("team").refused, 1u);
  one->lease.reset();
  EXPECT_TRUE(Open("team/a")->lease);
}

TEST_F(ManagerQuota, WhoWaitsForALeaseIsCounted) {
  KnowIn("team/a", 'a', 2);
  Start(8, {{"team", {.leases = 1}}});
  auto waits = Open("team/a");
  EXPECT_EQ(Open("team/a")->status.code(), StatusCode::kQuotaExceeded);
  waits->wait.reset();  // given up
  auto again = Open("team/a");
  tier_->Finish();
  EXPECT_TRUE(again->lease);
}

TEST_F(ManagerQuota, AnOpenThatIsRefusedLeavesNothing) {
  KnowIn("team/a", 'a', 2);
  Start(8, {{"team", {.leases = 0}}});
  EXPECT_EQ(Open("team/a")->status.code(), StatusCode::kQuotaExceeded);
  EXPECT_EQ(StateOf("team/a"), "absent");
  EXPECT_TRUE(manager_->Snapshot().segments.empty());
}

TEST_F(ManagerQuota, BytesBeyondItComeFromItsOwnIdleModels) {
  for (const auto& [name, digit] : {std::pair{"team/a", 'a'}, {"team/b", 'b'}, {"other/c", 'c'}})
    KnowIn(name, digit, 4);
  Start(16, {{"team", {.bytes = 4 * kPage}}});
  OpenResident("other/c");
  clock_.Advance(milliseconds(1));
  OpenResident("team/a");
  auto b = Open("team/b");
  EXPECT_EQ(StateOf("team/a"), "draining");
  EXPECT_EQ(StateOf("other/c"), "resident") << "though it is the oldest";
  tier_->Finish();  // there is room, a is on its way out
  ASSERT_TRUE(b->lease);
  EXPECT_EQ(Use("team").bytes, 4 * kPage);
  tier_->FinishRelease();
  auto refused = Open("team/a");
  EXPECT_EQ(refused->status.code(), StatusCode::kQuotaExceeded);
  EXPECT_THAT(refused->status.message(), HasSubstr("too little of them idle"));
  KnowIn("team/d", 'd', 5);
  EXPECT_EQ(Open("team/d")->status.code(), StatusCode::kQuotaExceeded) << "it never fits";
}

TEST_F(ManagerQuota, BytesThatSomebodyKeepsWhileTheyAreFreedCount) {
  for (const auto& [name, digit] : {std::pair{"team/a", 'a'}, {"team/b", 'b'}, {"team/c", 'c'}}) {
    KnowIn(name, digit, 2);
  }
  Start(8, {{"team", {.bytes = 3 * kPage}}});
  OpenResident("team/a");
  OpenResident("team/b");  // for which a goes
  ASSERT_EQ(tier_->releases.size(), 1u);
  EXPECT_EQ(Use("team").bytes, 2 * kPage);
  tier_->KeepRelease({.device = 1, .inode = 2});
  EXPECT_EQ(Use("team").bytes, 4 * kPage);
  EXPECT_EQ(Open("team/c")->status.code(), StatusCode::kQuotaExceeded);
  tier_->FinishRelease();
  EXPECT_EQ(Use("team").bytes, 2 * kPage);
  EXPECT_TRUE(Open("team/c")->status.ok());
}

TEST_F(ManagerQuota, ExplainKnowsWhatItsOwnNamespaceGivesUpAndWhatIsStillMissing) {
  KnowIn("team/a", 'a', 2);
  KnowIn("team/b", 'b', 4);
  KnowIn("other/c", 'c', 4);
  Start(8, {{"team", {.bytes = 5 * kPage, .leases = 1}}});
  OpenResident("other/c");
  clock_.Advance(milliseconds(1));
  OpenResident("team/a");
  const auto plan = [this] { return manager_->Explain({.reference = "team/b"})->plans.at(0); };
  ASSERT_EQ(plan().victims.size(), 1u) << "which is room enough";
  EXPECT_EQ(plan().victims[0].reference, "team/a:v1");
  EXPECT_EQ(plan().victims[0].reason, "quota");
  EXPECT_EQ(StateOf("team/a"), "resident");
  EXPECT_EQ(Use("team").refused, 0u);
  manager_->ChangePolicy({.uid = ::geteuid()}, {.budget = std::to_string(6 * kPage)}).value();
  ASSERT_EQ(plan().victims.size(), 2u);
  EXPECT_EQ(plan().victims[1].reference, "other/c:v1");
  EXPECT_EQ(plan().victims[1].reason, "room");
  auto held = Open("team/a");
  EXPECT_EQ(plan().refused.code(), StatusCode::kQuotaExceeded);
  EXPECT_EQ(Use("team").refused, 0u) << "nobody opened it";
}

TEST_F(ManagerQuota, WhatAnotherNamespaceLoadedIsSharedAndChargedToThat) {
  KnowIn("team/a", 'a', 4);
  KnowIn("other/a", 'a', 4);
  Start(8, {{"team", {.bytes = 1}}});
  auto theirs = OpenResident("other/a");
  auto ours = Open("team/a");
  EXPECT_TRUE(ours->lease) << ours->status.ToString();
  EXPECT_EQ(Use("team").bytes, 0u);
  EXPECT_EQ(Use("other").bytes, 4 * kPage);
  EXPECT_EQ(Use("team").leases, 1u);
}

TEST_F(ManagerQuota, LoadsInFlightAndByTheMinuteAreLimited) {
  for (const auto& [name, digit] : {std::pair{"team/a", 'a'}, {"team/b", 'b'}, {"team/c", 'c'}})
    KnowIn(name, digit, 1);
  Start(16, {{"team", {.loads = 1, .loads_per_minute = 2}}});
  auto a = Open("team/a");
  EXPECT_THAT(Open("team/b")->status.message(), HasSubstr("1 loads in flight of 1"));
  auto joined = Open("team/a");
  EXPECT_FALSE(joined->called) << "it is the same load";
  tier_->Finish();
  EXPECT_TRUE(OpenResident("team/b")->lease);
  EXPECT_THAT(Open("team/c")->status.message(), HasSubstr("2 a minute"));
  EXPECT_TRUE(Open("team/a")->lease) << "a hit is no load";
  clock_.Advance(seconds(30));
  EXPECT_TRUE(OpenResident("team/c")->lease);
}

TEST_F(ManagerQuota, OneNamespacesStormLeavesAnotherItsGuaranteedBytes) {
  KnowIn("team/a", 'a', 4);
  KnowIn("team/b", 'b', 4);
  for (char digit = 'c'; digit < 'h'; ++digit) KnowIn(std::string("storm/") + digit, digit, 4);
  Start(16, {{"team", {.guaranteed = 4 * kPage}}});
  OpenResident("team/a");
  clock_.Advance(milliseconds(1));
  OpenResident("team/b");
  for (char digit = 'c'; digit < 'h'; ++digit) {
    clock_.Advance(milliseconds(1));
    auto open = Open(std::string("storm/") + digit);
    while (!tier_->releases.empty()) tier_->FinishRelease();
    if (!open->called) tier_->Finish();
    ASSERT_TRUE(open->lease) << open->status.ToString();
  }
  EXPECT_EQ(StateOf("team/a"), "absent") << "it was older, and beyond what is guaranteed";
  EXPECT_EQ(StateOf("team/b"), "resident");
  EXPECT_EQ(Use("team").bytes, 4 * kPage);
  // Its own newcomers may have it.
  KnowIn("team/x", 'x', 12);
  auto held = Open("storm/g");
  auto own = Open("team/x");
  EXPECT_EQ(StateOf("team/b"), "draining") << own->status.ToString();
}

TEST_F(ManagerQuota, WithAGuardWhatWasUsedMomentsAgoStaysAndTheNewcomerIsRefused) {
  for (const auto& [name, digit] : {std::pair{"a", 'a'}, {"b", 'b'}}) Know(name, digit, 4);
  Start(6, {}, milliseconds(500));
  OpenResident("a");
  auto b = Open("b");
  EXPECT_EQ(b->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(b->status.message(),
              HasSubstr("it spares what was used in the last 500 ms (--churn-guard)"));
  EXPECT_EQ(StateOf("a"), "resident");
  clock_.Advance(milliseconds(500));
  b = Open("b");
  EXPECT_EQ(StateOf("a"), "draining");
  EXPECT_FALSE(b->called);
}

}  // namespace
}  // namespace trims
