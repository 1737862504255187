// One class serves every tier: two tables, the upper one filled from the lower.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "residency/tiers_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kPage;

class TiersTest : public test::TiersFixture {};

TEST_F(TiersTest, AMissFillsTheTierBeneathOnTheWayAndKeepsItThere) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kLoading);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kLoading);
  EXPECT_EQ(device_tier_->started, 0) << "there is nothing to fill it from yet";
  EXPECT_EQ(host_tier_->fills.front().request.beneath, nullptr);
  host_tier_->Finish();
  ASSERT_EQ(device_tier_->started, 1);
  EXPECT_NE(device_tier_->fills.front().request.beneath, nullptr);
  EXPECT_EQ(host_->leases(), 1u) << "its source must not go while it is read";
  EXPECT_FALSE(open->lease);
  device_tier_->Finish();
  ASSERT_TRUE(open->lease);
  EXPECT_EQ(open->lease->tier(), "device:0");
  EXPECT_FALSE(open->lease->opened().hit);
  EXPECT_EQ(host_->leases(), 0u);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  EXPECT_EQ(counters_.misses, 1u) << "one client opened once";
  EXPECT_EQ(counters_.hits, 0u);
}

TEST_F(TiersTest, AWaitAboveIsAsFarAsTheLoadBeneathUntilThatIsThere) {
  Start(8, 8);
  const auto open = Open(*device_, MakeImage('a', 4));
  timers_.Advance(std::chrono::seconds(1));
  host_tier_->fills.front().request.control->Advance(kPage);
  std::optional<LoadProgress> progress = open->wait->progress();
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->tier, "host");
  EXPECT_EQ(progress->bytes_done, kPage);
  EXPECT_EQ(progress->bytes_per_second, kPage);
  host_tier_->Finish();
  timers_.Advance(std::chrono::seconds(1));
  device_tier_->fills.front().request.control->Advance(2 * kPage);
  progress = open->wait->progress();
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->tier, "device:0");
  EXPECT_EQ(progress->bytes_done, 2 * kPage);
  EXPECT_EQ(progress->bytes_per_second, 2 * kPage) << "the time beneath is not its own";
}

// Else a long load would be the failure of the segment above, and make it back off.
TEST_F(TiersTest, WhatIsFilledBeneathHasTheClientsDeadlineAndNoneOfItsOwn) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  EXPECT_EQ(timers_.pending(), 1u);
  timers_.Advance(std::chrono::hours(1));
  EXPECT_EQ(open->status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kLoading);
  host_tier_->Finish();
  device_tier_->Finish();
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kResident);
}

TEST_F(TiersTest, WhatWasRemovedWhileItWaitedForRoomAboveDoesNotStayBeneath) {
  Start(8, 4);
  const ImagePtr a = MakeImage('a', 4);
  {
    const auto b = Open(*device_, MakeImage('b', 4));
    host_tier_->Finish();
    device_tier_->Finish();
  }
  const auto open = Open(*device_, a);  // once b is freed
  device_->KeepOnly({});
  host_->KeepOnly({});
  device_tier_->FinishRelease();
  ASSERT_EQ(StateIn(*host_, a), SegmentState::kLoading);
  EXPECT_TRUE(host_->FindByKey(a->key)->removed());
}

TEST_F(TiersTest, WhatIsResidentBeneathIsNotReadAgain) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto below = Open(*host_, a);
  host_tier_->Finish();
  const auto open = Open(*device_, a);
  EXPECT_EQ(device_tier_->started, 1);
  device_tier_->Finish();
  EXPECT_TRUE(open->lease);
  EXPECT_EQ(host_tier_->started, 1);
}

class FollowingTest : public TiersTest {
 protected:
  void Start(uint64_t host_pages, uint64_t device_pages) {
    TiersTest::Start(host_pages, device_pages);
    host_tier_->feeding = true;
  }
};

TEST_F(FollowingTest, WhatIsOnItsWayBeneathIsFollowed) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  ASSERT_EQ(device_tier_->started, 1);
  const FillRequest& request = device_tier_->fills.front().request;
  EXPECT_EQ(request.beneath, nullptr);
  EXPECT_EQ(request.follow, host_tier_->fills.front().request.control);
  request.control->Advance(kPage);
  EXPECT_EQ(open->wait->progress()->tier, "device:0");
  host_tier_->Finish();
  EXPECT_EQ(device_tier_->started, 1) << "once";
  EXPECT_EQ(host_->leases(), 1u);
  device_tier_->Finish();
  ASSERT_TRUE(open->lease);
  EXPECT_EQ(host_->leases(), 0u);
}

TEST_F(FollowingTest, TheFillAboveMayEndFirst) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  device_tier_->Finish();
  ASSERT_TRUE(open->lease);
  host_tier_->Finish();
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  EXPECT_EQ(host_->leases(), 0u);
  EXPECT_EQ(device_tier_->started, 1);
}

// Whoever reads the events knows whether there is one of the load beneath to come.
TEST_F(FollowingTest, AnEventSaysWhetherTheLoadBeneathHasEnded) {
  struct Told final : EventSink {
    void Record(Event event) override {
      if (event.kind == EventKind::kSegmentResident) ends.push_back(std::move(event));
    }
    std::vector<Event> ends;
  } told;
  events_ = &told;
  Start(8, 8);
  const auto above_first = Open(*device_, MakeImage('a', 4));
  device_tier_->Finish();
  host_tier_->Finish();
  const auto beneath_first = Open(*device_, MakeImage('b', 4));
  host_tier_->Finish();
  device_tier_->Finish();
  ASSERT_EQ(told.ends.size(), 4U);
  EXPECT_EQ(told.ends[0].tier, "device:0");
  EXPECT_EQ(told.ends[0].beneath, told.ends[1].load);
  EXPECT_TRUE(told.ends[0].beneath_under_way);
  EXPECT_EQ(told.ends[3].tier, "device:0");
  EXPECT_EQ(told.ends[3].beneath, told.ends[2].load);
  EXPECT_FALSE(told.ends[3].beneath_under_way);
}

TEST_F(FollowingTest, AFailureBeneathIsToldOnceByWhoeverFollows) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  host_tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kLoading) << "its tier still has to say so";
  device_tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(open->status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(device_->budget().used(), 0u);
  EXPECT_EQ(counters_.load_failures, 2u);
}

TEST_F(FollowingTest, AnotherNamesFilesAreNotFollowed) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto other = std::make_shared<Image>(*a);
  other->reference = "default/b:v1";
  const auto below = Open(*host_, a);
  const auto open = Open(*device_, other);
  EXPECT_EQ(device_tier_->started, 0) << "damage of the one's files would be the other's failure";
  host_tier_->Finish();
  ASSERT_EQ(device_tier_->started, 1);
  device_tier_->Finish();
  EXPECT_TRUE(open->lease);
}

TEST_F(FollowingTest, WhatStillWaitsForRoomBeneathIsNotFollowed) {
  Start(4, 8);
  const ImagePtr a = MakeImage('a', 4);
  {
    const auto b = Open(*host_, MakeImage('b', 4));
    host_tier_->Finish();
  }
  const auto open = Open(*device_, a);
  EXPECT_EQ(device_tier_->started, 0);
  host_tier_->FinishRelease();
  host_tier_->Finish();
  ASSERT_EQ(device_tier_->started, 1);
  EXPECT_NE(device_tier_->fills.front().request.beneath, nullptr);
  device_tier_->Finish();
  EXPECT_TRUE(open->lease);
}

TEST_F(TiersTest, AFailureBeneathIsTheReasonAbove) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  host_tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(open->status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(device_->budget().used(), 0u);
  EXPECT_EQ(device_tier_->started, 0);
}

TEST_F(TiersTest, WhatDoesNotFitBeneathIsSaidAfterTheCallAndCostsNoRoom) {
  Start(2, 8);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  EXPECT_TRUE(open->status.ok()) << "never inside the call";
  ASSERT_TRUE(open->wait);
  timers_.Advance(milliseconds(0));
  EXPECT_EQ(open->status.code(), StatusCode::kTooLarge);
  EXPECT_EQ(device_->budget().used(), 0u);
}

TEST_F(TiersTest, EachEvictsForItself) {
  Start(8, 4);
  const ImagePtr a = MakeImage('a', 4);
  const ImagePtr b = MakeImage('b', 4);
  for (const ImagePtr& image : {a, b}) {
    clock_.Advance(milliseconds(1));
    const auto open = Open(*device_, image);
    if (!device_tier_->releases.empty()) device_tier_->FinishRelease();
    if (!host_tier_->fills.empty()) host_tier_->Finish();
    device_tier_->Finish();
    ASSERT_TRUE(open->lease);
  }
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kAbsent);
  EXPECT_EQ(StateIn(*device_, b), SegmentState::kResident);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
}

TEST_F(TiersTest, ADestroyedTierLetsGoOfTheOneBeneath) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  auto open = Open(*device_, a);
  host_tier_->Finish();
  open.reset();  // the load goes on
  EXPECT_EQ(host_->leases(), 1u);
  device_.reset();
  EXPECT_EQ(host_->leases(), 0u);
  device_tier_->Finish();  // nobody is there
}

TEST_F(TiersTest, RemovedWhileItWaitsForTheTierBeneathItIsGone) {
  Start(8, 8);
  const ImagePtr a = MakeImage('a', 4);
  Open(*device_, a).reset();
  device_->KeepOnly({});
  host_->KeepOnly({});
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kLoading) << "the tier above still waits for it";
  host_tier_->Finish();
  ASSERT_FALSE(device_tier_->fills.empty());
  EXPECT_TRUE(device_tier_->fills.front().request.control->cancelled());
  device_tier_->Fail(StatusCode::kCancelled);
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kAbsent);
  host_tier_->FinishRelease();
  EXPECT_EQ(host_->budget().used(), 0u);
}

}  // namespace
}  // namespace trims
