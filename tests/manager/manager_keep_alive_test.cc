// How long models stay that nobody has open: of a tier, and of one model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::HasSubstr;

constexpr uid_t kOther = 4242;

class ManagerKeepAlive : public test::ManagerFixture {
 protected:
  Result<KeptAlive> Keep(const std::string& name, std::string_view text, uid_t uid = 0) {
    std::optional<Result<KeptAlive>> answer;
    manager_->SetKeepAlive(wire::Principal{.uid = uid}, name, text,
                           [&](Result<KeptAlive> kept) { answer = std::move(kept); });
    return answer ? *std::move(answer) : Status(StatusCode::kInternal, "not answered");
  }
  void OpenAndClose(const std::string& reference) { OpenResident(reference)->lease.reset(); }
  SegmentSnapshot Segment(size_t place = 0) { return manager_->Snapshot().segments.at(place); }
};

TEST_F(ManagerKeepAlive, ATierLetsGoOfWhatNobodyHadOpenForSoLong) {
  Know("a", 'a', 2);
  Know("b", 'b', 2);
  Start(8, {.after = minutes(10)});
  OpenAndClose("a");
  timers_.Advance(minutes(6));
  OpenAndClose("a");
  OpenAndClose("b");
  timers_.Advance(minutes(6));
  EXPECT_EQ(StateOf("a"), "resident") << "it was used six minutes ago";
  EXPECT_EQ(Segment().goes_in, minutes(4));
  OpenAndClose("b");
  timers_.Advance(minutes(4));
  EXPECT_EQ(StateOf("a"), "draining");
  EXPECT_EQ(StateOf("b"), "resident");
  EXPECT_EQ(Count().reclaimed, 1u);
  timers_.Advance(minutes(6));
  EXPECT_EQ(StateOf("b"), "draining");
  EXPECT_EQ(Count().evictions, 0u);
}

TEST_F(ManagerKeepAlive, WhatIsOpenStaysHoweverLong) {
  Know("a", 'a', 2);
  Start(8, {.after = minutes(10)});
  auto open = OpenResident("a");
  EXPECT_EQ(Segment().goes_in, std::nullopt);
  timers_.Advance(minutes(60));
  EXPECT_EQ(StateOf("a"), "resident");
  open->lease.reset();
  timers_.Advance(minutes(9));
  EXPECT_EQ(StateOf("a"), "resident");
  timers_.Advance(minutes(1));
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(ManagerKeepAlive, OpensAndClosesOfWhatIsKeptAlikeSetNoTimers) {
  Know("a", 'a', 2);
  Start(8, {.after = minutes(10)});
  OpenAndClose("a");
  const size_t timers = timers_.pending();
  for (int i = 0; i < 100; ++i) {
    timers_.Advance(milliseconds(1));
    OpenAndClose("a");
  }
  EXPECT_EQ(timers_.pending(), timers);
}

TEST_F(ManagerKeepAlive, OfOneModelItWinsOverTheTiersPolicy) {
  Know("a", 'a', 2);
  Know("b", 'b', 2);
  Start(8, Reclaim::kEager);
  ASSERT_TRUE(Keep("a", "10m").ok());
  OpenAndClose("a");
  OpenAndClose("b");
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(StateOf("b"), "draining") << "nothing was said of it";
  ASSERT_TRUE(Keep("a", "0").ok());
  EXPECT_EQ(StateOf("a"), "draining") << "it has been idle for as long as that";
}

TEST_F(ManagerKeepAlive, AnEvictionPolicyThatKeepsNoneKeepsWhatIsSaid) {
  Know("a", 'a', 2);
  Start(8, Reclaim::kLazy, FindEvictionPolicy("eager").value());
  ASSERT_TRUE(Keep("a", "forever").ok());
  OpenAndClose("a");
  timers_.Advance(minutes(100'000));
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(Segment().goes_in, std::nullopt);
  ASSERT_TRUE(Keep("a", "default").ok());
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(ManagerKeepAlive, WhatIsChangedHoldsForWhatIsIdleAlready) {
  Know("a", 'a', 2);
  Start(8);
  OpenAndClose("a");
  timers_.Advance(minutes(60));
  ASSERT_TRUE(Keep("a", "2h").ok());
  EXPECT_EQ(Segment().goes_in, minutes(60));
  EXPECT_EQ(Segment().keep_alive, Reclaim{.after = minutes(120)});
  ASSERT_TRUE(manager_->ChangePolicy({}, {.reclaim = "1m"}).ok());
  EXPECT_EQ(StateOf("a"), "resident") << "of it something else was said";
  timers_.Advance(minutes(60));
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(ManagerKeepAlive, WhatIsPinnedStaysAndGoesInTimeOnceItIsNot) {
  Know("a", 'a', 2);
  Start(8, {.after = minutes(10)});
  bool told = false;
  manager_->Pin({}, {.reference = "a"}, {}, [&](const auto& pinned) { told = pinned.ok(); });
  tier_->Finish();
  ASSERT_TRUE(told);
  timers_.Advance(minutes(60));
  EXPECT_EQ(StateOf("a"), "resident");
  manager_->Unpin({}, {.reference = "a"}, [](const auto&) {});
  EXPECT_EQ(StateOf("a"), "draining") << "nobody had it open for an hour";
}

TEST_F(ManagerKeepAlive, WhatNeedsTheRoomTakesItBefore) {
  Know("a", 'a', 4);
  Know("b", 'b', 4);
  Start(4);
  ASSERT_TRUE(Keep("a", "forever").ok());
  OpenAndClose("a");
  Open("b");
  EXPECT_EQ(StateOf("a"), "draining");
  EXPECT_EQ(Count().evictions, 1u);
}

TEST_F(ManagerKeepAlive, WhatIsFetchedIsKeptAsSaidAndRefusedWhereItWouldGoAtOnce) {
  Know("a", 'a', 2);
  Start(8, Reclaim::kEager);
  Status fetched;
  const auto fetch = [&] {
    manager_->Prefetch({}, {.reference = "a"}, {},
                       [&](const auto& model) { fetched = model.status(); });
  };
  fetch();
  EXPECT_EQ(fetched.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(fetched.hint(), HasSubstr("trims keep-alive default/a 10m"));
  ASSERT_TRUE(Keep("a", "10m").ok());
  fetch();
  tier_->Finish();
  ASSERT_TRUE(fetched.ok()) << fetched.ToString();
  EXPECT_EQ(StateOf("a"), "resident");
  timers_.Advance(minutes(10));
  EXPECT_EQ(StateOf("a"), "draining") << "also one that nobody ever opened";
}

TEST_F(ManagerKeepAlive, ItHoldsForVersionsThatComeLaterAndAcrossRestarts) {
  Know("a", 'a', 2);
  Start(8, Reclaim::kEager);
  ASSERT_TRUE(Keep("a", "10m").ok());
  Know("a", 'b', 2);
  Know("gone", 'c', 1);
  Remove("gone");  // whatever changes the catalog next
  OpenAndClose("a");
  EXPECT_EQ(StateOf("a"), "resident");
  Start(8, Reclaim::kEager);
  OpenAndClose("a");
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(manager_->Model("a").value().keep_alive, Reclaim{.after = minutes(10)});
}

TEST_F(ManagerKeepAlive, EqualContentStaysAsLongAsEitherNameSays) {
  Know("a", 'a', 2);
  Know("same", 'a', 2);
  Start(8, Reclaim::kEager);
  ASSERT_TRUE(Keep("a", "10m").ok());
  ASSERT_TRUE(Keep("same", "20m").ok());
  OpenAndClose("a");
  timers_.Advance(minutes(19));
  EXPECT_EQ(StateOf("a"), "resident");
  ASSERT_TRUE(manager_->ChangePolicy({}, {.reclaim = "1h"}).ok());
  ASSERT_TRUE(Keep("same", "default").ok());
  timers_.Advance(minutes(40));
  EXPECT_EQ(StateOf("a"), "resident") << "of one name nothing is said, so that the policy does";
  timers_.Advance(minutes(1));
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(ManagerKeepAlive, WhatIsNoTimeOrNoNameIsRefusedAndOnlyOperatorsChangeIt) {
  Know("a", 'a', 2);
  Start(8);
  EXPECT_THAT(Keep("a", "soon").status().message(), HasSubstr("forever or default"));
  EXPECT_EQ(Keep("a", "off").status().code(), StatusCode::kInvalidArgument) << "at once, or never?";
  EXPECT_THAT(Keep("a:v1", "5m").status().hint(), HasSubstr("trims keep-alive default/a 5m"));
  EXPECT_EQ(Keep("a", "-1s").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Keep("a:v1", "1m").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Keep("none-such", "1m").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Keep("a", "1m", kOther).status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(Keep("a", "", kOther).value().kept, std::nullopt) << "anybody may ask";
  catalog_.next = Status(StatusCode::kResourceExhausted, "the disk is full");
  EXPECT_EQ(Keep("a", "1m").status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Keep("a", "").value().kept, std::nullopt);
  ASSERT_TRUE(Keep("a", "1m").ok());
  EXPECT_EQ(Keep("a", "").value().kept, Reclaim{.after = minutes(1)});
}

}  // namespace
}  // namespace trims
