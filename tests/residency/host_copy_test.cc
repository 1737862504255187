// What becomes of the copy beneath once the tier above has its own: kept, dropped, held.
#include "residency/host_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "residency/tiers_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

class HostCopyTest : public test::TiersFixture {
 protected:
  void StartWith(HostCopy copy, uint64_t host_pages = 8, uint64_t device_pages = 8) {
    device_options_.host_copy = copy;
    Start(host_pages, device_pages);
  }
  // Opened on the device, and let go of.
  void Bring(const ImagePtr& image) {
    clock_.Advance(milliseconds(1));
    const auto open = Open(*device_, image);
    if (!host_tier_->fills.empty()) host_tier_->Finish();
    device_tier_->Finish();
    EXPECT_TRUE(open->lease) << open->status.ToString();
  }
};

TEST_F(HostCopyTest, KeptItStaysAsAnyOtherAndGoesForRoom) {
  StartWith(HostCopy::kKeep, 4);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  EXPECT_EQ(host_->Use().idle, 4 * test::kPage);
  const auto b = Open(*host_, MakeImage('b', 4));
  EXPECT_TRUE(b->status.ok());
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kDraining);
}

TEST_F(HostCopyTest, DroppedItGoesOnceTheOneAboveIsThere) {
  StartWith(HostCopy::kDrop);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  host_tier_->Finish();
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident) << "it is copied from";
  device_tier_->Finish();
  ASSERT_TRUE(open->lease);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kDraining);
  host_tier_->FinishRelease();
  EXPECT_EQ(host_->budget().used(), 0u);
  EXPECT_EQ(counters_.evictions, 0u) << "nothing needed its room";
  EXPECT_EQ(counters_.reclaimed, 1u);
}

TEST_F(HostCopyTest, AFailedCopyDropsNothing) {
  StartWith(HostCopy::kDrop);
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  host_tier_->Finish();
  device_tier_->Fail(StatusCode::kInternal);
  EXPECT_FALSE(open->status.ok());
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
}

TEST_F(HostCopyTest, WhatSomebodyHasOpenIsDroppedWithItsLastLease) {
  StartWith(HostCopy::kDrop);
  const ImagePtr a = MakeImage('a', 4);
  auto below = Open(*host_, a);
  host_tier_->Finish();
  Bring(a);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  EXPECT_EQ(host_->FindByKey(a->key)->why_leaving(), Leaving::kCopiedAbove);
  below.reset();
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kDraining);
  host_tier_->FinishRelease();
  // Opened there again, it is wanted there.
  below = Open(*host_, a);
  host_tier_->Finish();
  below.reset();
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
}

TEST_F(HostCopyTest, WhatIsOpenedHereThoughItWasToGoStays) {
  StartWith(HostCopy::kDrop);
  const ImagePtr a = MakeImage('a', 4);
  auto before = Open(*host_, a);
  host_tier_->Finish();
  Bring(a);
  auto after = Open(*host_, a);
  before.reset();
  after.reset();
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
}

TEST_F(HostCopyTest, WhatAnOperatorPinnedIsNotDropped) {
  StartWith(HostCopy::kDrop);
  const ImagePtr a = MakeImage('a', 4);
  host_->SetPinned({a->key});
  Bring(a);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  host_->SetPinned({});
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident) << "as any other from then on";
}

// A fill that follows may end before the lease beneath is there.
TEST_F(HostCopyTest, WhatOnlyComesIsDroppedWhenItIsThere) {
  StartWith(HostCopy::kDrop);
  host_tier_->feeding = true;
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  device_tier_->Finish();
  ASSERT_TRUE(open->lease);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kLoading);
  host_tier_->Finish();
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kDraining);
}

TEST_F(HostCopyTest, HeldItCannotGoAsLongAsTheOneAbove) {
  StartWith(HostCopy::kPin, 4, 8);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  EXPECT_TRUE(host_->FindByKey(a->key)->held_for_above());
  EXPECT_EQ(host_->Use().pinned, 4 * test::kPage);
  EXPECT_EQ(host_->Use().idle, 0u);
  const Status status = Open(*host_, MakeImage('b', 4))->status;
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("held for its copy on a device"));
  const Status evict = host_->CheckMayEvict(a->key);
  EXPECT_EQ(evict.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(evict.message(), HasSubstr("--host-copy pin"));
  EXPECT_EQ(host_->Relieve(0), 0u) << "not for memory pressure either";
  device_->EvictWhenIdle(a->key);
  EXPECT_FALSE(host_->FindByKey(a->key)->held_for_above());
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  EXPECT_TRUE(host_->CheckMayEvict(a->key).ok());
  EXPECT_TRUE(Open(*host_, MakeImage('b', 4))->status.ok());
}

TEST_F(HostCopyTest, HeldItOutlivesAnEagerReclaimAndGoesThenAtOnce) {
  host_options_.policy.reclaim = Reclaim::kEager;
  StartWith(HostCopy::kPin);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  device_->EvictWhenIdle(a->key);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kDraining);
}

TEST_F(HostCopyTest, HeldItLeavesByAnOperatorsWordOnceTheOneAboveHasLeft) {
  StartWith(HostCopy::kPin);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  host_->EvictWhenIdle(a->key);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  {
    const auto open = Open(*host_, a);
    EXPECT_TRUE(open->lease);
  }
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident) << "held";
  device_->EvictWhenIdle(a->key);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kDraining);
}

TEST_F(HostCopyTest, HeldItIsBeforeItIsThere) {
  host_options_.policy.reclaim = Reclaim::kEager;
  StartWith(HostCopy::kPin);
  host_tier_->feeding = true;
  const ImagePtr a = MakeImage('a', 4);
  const auto open = Open(*device_, a);
  device_tier_->Finish();
  ASSERT_TRUE(open->lease);
  host_tier_->Finish();
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kResident);
  EXPECT_TRUE(host_->FindByKey(a->key)->held_for_above());
}

TEST_F(HostCopyTest, HeldTwiceItStaysUntilBothHaveLeft) {
  StartWith(HostCopy::kPin);
  test::FakeTier other_tier(8 * test::kPage, "device:1");
  SegmentTable other(device_options_, Dependencies(&other_tier, &*host_), &counters_);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto open = Open(other, a);
  other_tier.Finish();
  device_->EvictWhenIdle(a->key);
  EXPECT_TRUE(host_->FindByKey(a->key)->held_for_above());
  open->lease.reset();
  other.EvictWhenIdle(a->key);
  EXPECT_FALSE(host_->FindByKey(a->key)->held_for_above());
}

TEST_F(HostCopyTest, ARemovedModelGoesFromBothWhateverHoldsIt) {
  StartWith(HostCopy::kPin);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  host_->KeepOnly({});
  device_->KeepOnly({});
  host_tier_->FinishRelease();
  device_tier_->FinishRelease();
  EXPECT_EQ(host_->budget().used(), 0u);
  EXPECT_EQ(device_->budget().used(), 0u);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kAbsent);
}

TEST_F(HostCopyTest, ADestroyedTierHoldsNothingBeneath) {
  StartWith(HostCopy::kPin);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  device_.reset();
  EXPECT_FALSE(host_->FindByKey(a->key)->held_for_above());
}

TEST(HostCopyNamesTest, EachIsReadBackAndOthersAreNamed) {
  for (const HostCopy copy : {HostCopy::kKeep, HostCopy::kDrop, HostCopy::kPin}) {
    const Result<HostCopy> parsed = ParseHostCopy(HostCopyName(copy));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, copy);
  }
  const Status status = ParseHostCopy("persist").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.ToString(), HasSubstr("'persist'"));
  EXPECT_THAT(status.hint(), HasSubstr("keep, drop, pin"));
}

}  // namespace
}  // namespace trims
