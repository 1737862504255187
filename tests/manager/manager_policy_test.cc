// Policies of a tier, asked and changed while it is used.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

class ManagerPolicy : public test::ManagerFixture {
 protected:
  Result<TierSnapshot> Change(const PolicyWishes& wishes, uid_t uid = 0) {
    return manager_->ChangePolicy(wire::Principal{.uid = uid}, wishes);
  }
};

TEST_F(ManagerPolicy, WhatIsNamedChangesAndTheRestStays) {
  Start(8);
  ASSERT_TRUE(Change({.eviction = "lru"}).ok());
  const Result<TierSnapshot> host = Change({.tier = "host", .admission = "tinylfu"});
  ASSERT_TRUE(host.ok()) << host.status().ToString();
  EXPECT_EQ(host->policy.eviction->name, "lru");
  EXPECT_EQ(host->policy.admission->name, "tinylfu");
  EXPECT_EQ(host->policy.reclaim, Reclaim::kLazy);
}

TEST_F(ManagerPolicy, AMistakeChangesNothing) {
  Start(8);
  EXPECT_EQ(Change({.eviction = "lru", .reclaim = "late"}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Change({.tier = "moon", .eviction = "lru"}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Change({})->policy, TierPolicy());
}

TEST_F(ManagerPolicy, AnybodyMayAskAndOnlyOperatorsMayChange) {
  Start(8);
  const uid_t stranger = ::geteuid() + 1;
  EXPECT_TRUE(Change({}, stranger).ok());
  EXPECT_EQ(Change({.eviction = "lru"}, stranger).status().code(), StatusCode::kPermissionDenied);
}

TEST_F(ManagerPolicy, TheNewOneRanksWhatIsResidentAlready) {
  Know("a", 'a', 4);
  Know("b", 'b', 4);
  Know("c", 'c', 4);
  Start(8, Reclaim::kLazy, FindEvictionPolicy("never").value());
  OpenResident("a");
  clock_.Advance(std::chrono::milliseconds(1));
  OpenResident("b");
  clock_.Advance(std::chrono::milliseconds(1));
  OpenResident("a");
  EXPECT_EQ(Open("c")->status.code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(Change({.eviction = "lru"}).ok());
  Open("c");
  EXPECT_EQ(StateOf("b"), "draining");
  EXPECT_EQ(StateOf("a"), "resident");
}

class ManagerAdmission : public ManagerPolicy {
 protected:
  // Two that were opened often, and the room of one for all the others.
  void Begin() {
    for (const std::string name : {"a", "b", "x", "y", "z"}) Know(name, DigitOf(name), 4);
    Start(8, Reclaim::kLazy, FindEvictionPolicy("lru").value());
    ASSERT_TRUE(Change({.admission = "tinylfu"}).ok());
    for (int i = 0; i < 5; ++i) {
      Use("a");
      Use("b");
    }
  }
  // Of a digest, in hexadecimal.
  static char DigitOf(const std::string& name) {
    return name < "x" ? name[0] : static_cast<char>(name[0] - 'x' + '0');
  }
  // It comes if it isn't there, and nobody holds it any more.
  void Use(const std::string& name) {
    clock_.Advance(std::chrono::milliseconds(1));
    const auto opened = Open(name);
    if (!opened->called) {
      if (!tier_->releases.empty()) tier_->FinishRelease();
      tier_->Finish();
    }
    EXPECT_TRUE(opened->lease.has_value()) << opened->status.ToString();
  }
};

TEST_F(ManagerAdmission, ARowOfModelsThatComeOncePassesThroughTheRoomOfOne) {
  Begin();
  for (const char* once : {"x", "y", "z"}) {
    Use(once);
    EXPECT_EQ(StateOf(once), "resident");
    EXPECT_EQ(StateOf("b"), "resident") << "used later than 'a', which went for the first of them";
  }
}

TEST_F(ManagerAdmission, OpenedAgainItStays) {
  Begin();
  Use("x");
  Use("x");
  Use("y");
  EXPECT_EQ(StateOf("x"), "resident");
}

TEST_F(ManagerAdmission, WhereAllAreAdmittedNobodyIsMarkedAnyMore) {
  Begin();
  Use("x");
  ASSERT_TRUE(Change({.admission = "all"}).ok());
  Use("y");
  EXPECT_EQ(StateOf("x"), "resident") << "'b' was used longer ago";
}

TEST_F(ManagerPolicy, WhereNothingIsKeptAnyMoreWhatNobodyHoldsGoesAtOnce) {
  Know("a", 'a', 2);
  Know("b", 'b', 2);
  Start(8);
  OpenResident("a");
  auto held = OpenResident("b");
  ASSERT_TRUE(Change({.eviction = "eager"}).ok());
  EXPECT_EQ(StateOf("a"), "draining");
  EXPECT_EQ(StateOf("b"), "resident");
  held.reset();
  EXPECT_EQ(StateOf("b"), "draining");
}

}  // namespace
}  // namespace trims
