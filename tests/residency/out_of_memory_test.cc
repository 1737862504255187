// A tier whose memory does not suffice though its budget does: others go, and the load is tried once more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "residency/tiers_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kPage;
using ::testing::HasSubstr;

struct LoadsTold final : EventSink {
  void Record(Event event) override {
    const std::string load = std::string(event.tier) + ' ' + std::to_string(event.load);
    if (event.kind == EventKind::kSegmentLoading) under_way.insert(load);
    if (event.kind == EventKind::kSegmentResident) under_way.erase(load);
    if (event.kind != EventKind::kSegmentLoadFailed) return;
    under_way.erase(load);
    ++failed;
  }
  std::set<std::string> under_way;
  int failed = 0;
};

class OutOfMemoryTest : public test::TiersFixture {
 protected:
  // Resident on the device, and idle.
  void Bring(const ImagePtr& image) {
    clock_.Advance(milliseconds(1));
    const auto open = Open(*device_, image);
    host_tier_->Finish();
    device_tier_->Finish();
    EXPECT_TRUE(open->lease) << open->status.ToString();
  }
  // Of the device's oldest fill.
  void RunOut() {
    device_tier_->fills.front().request.control->SetOutOfMemory();
    device_tier_->Finish(Status(StatusCode::kResourceExhausted, "sim:0 has 3 bytes left"));
  }
  std::unique_ptr<Opened> OpenAndRunOut(const ImagePtr& image) {
    std::unique_ptr<Opened> open = Open(*device_, image);
    host_tier_->Finish();
    RunOut();
    return open;
  }
  void ExpectNothingLeft() {
    EXPECT_EQ(device_->budget().used(), 0u);
    EXPECT_EQ(device_->loads_in_flight(), 0u);
    EXPECT_EQ(device_->waiters(), 0u);
    EXPECT_EQ(host_->leases(), 0u);
  }
};

TEST_F(OutOfMemoryTest, OnceAnotherGoesAndTheLoadIsTriedAgainWhenItsMemoryIsFree) {
  Start(16, 16);
  const ImagePtr a = MakeImage('a', 4);
  const ImagePtr b = MakeImage('b', 4);
  Bring(a);
  const auto open = OpenAndRunOut(b);
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kDraining);
  EXPECT_TRUE(device_tier_->fills.empty()) << "not before the memory is free";
  EXPECT_EQ(device_->loads_in_flight(), 1u);
  const auto joins = Open(*device_, b);
  EXPECT_TRUE(joins->wait);
  device_tier_->FinishRelease();
  ASSERT_EQ(device_tier_->fills.size(), 1u);
  device_tier_->Finish();
  EXPECT_TRUE(open->lease);
  EXPECT_TRUE(joins->lease);
  EXPECT_EQ(counters_.load_failures, 0u);
  EXPECT_EQ(counters_.evictions, 1u);
  EXPECT_EQ(device_->budget().used(), 4 * kPage);
}

// Who pairs beginnings and ends must find one of each load.
TEST_F(OutOfMemoryTest, ALoadThatIsTriedAgainIsToldToHaveFailed) {
  LoadsTold told;
  events_ = &told;
  Start(16, 16);
  Bring(MakeImage('a', 4));
  const auto open = OpenAndRunOut(MakeImage('b', 4));
  device_tier_->FinishRelease();
  device_tier_->Finish();
  EXPECT_TRUE(open->lease);
  EXPECT_TRUE(told.under_way.empty());
  EXPECT_EQ(told.failed, 1);
}

TEST_F(OutOfMemoryTest, TwiceIsAnErrorWithTheNumbers) {
  Start(16, 16);
  const ImagePtr b = MakeImage('b', 4);
  Bring(MakeImage('a', 4));
  const auto open = OpenAndRunOut(b);
  device_tier_->FinishRelease();
  RunOut();
  EXPECT_EQ(open->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(open->status.message(), HasSubstr("takes 16384 bytes"));
  EXPECT_THAT(open->status.message(), HasSubstr("0 bytes of 65536 bytes in use"));
  EXPECT_THAT(open->status.message(), HasSubstr("sim:0 has 3 bytes left"));
  EXPECT_THAT(open->status.message(), HasSubstr("1 models (16384 bytes) went for it"));
  EXPECT_THAT(open->status.hint(), HasSubstr("--device-budget"));
  EXPECT_EQ(counters_.load_failures, 1u);
  ExpectNothingLeft();
  EXPECT_EQ(StateIn(*host_, b), SegmentState::kResident);
}

TEST_F(OutOfMemoryTest, NoMoreGoThanItTakes) {
  Start(32, 32);
  for (const char name : {'a', 'b', 'c'}) Bring(MakeImage(name, 4));
  const auto open = OpenAndRunOut(MakeImage('d', 8));
  EXPECT_EQ(device_tier_->releases.size(), 2u);
  device_tier_->FinishRelease();
  EXPECT_TRUE(device_tier_->fills.empty()) << "one of the two is still being freed";
  device_tier_->FinishRelease();
  device_tier_->Finish();
  EXPECT_TRUE(open->lease);
}

TEST_F(OutOfMemoryTest, WhatIsInUseDoesNotGo) {
  Start(16, 16);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto held = Open(*device_, a);
  const auto open = OpenAndRunOut(MakeImage('b', 4));
  EXPECT_EQ(open->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(open->status.message(), HasSubstr("nothing could go for it"));
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kResident);
}

TEST_F(OutOfMemoryTest, ThePolicyHasItsWord) {
  device_options_.policy.eviction = FindEvictionPolicy("never").value();
  Start(16, 16);
  Bring(MakeImage('a', 4));
  const auto open = OpenAndRunOut(MakeImage('b', 4));
  EXPECT_EQ(open->status.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(device_tier_->releases.empty());
}

TEST_F(OutOfMemoryTest, TheNextLoadIsTriedTwiceAgain) {
  Start(16, 16);
  const ImagePtr b = MakeImage('b', 4);
  for (int round = 0; round < 2; ++round) {
    Bring(MakeImage(round == 0 ? 'a' : 'c', 4));
    clock_.Advance(std::chrono::hours(1));
    const auto open = Open(*device_, b);
    if (!host_tier_->fills.empty()) host_tier_->Finish();
    RunOut();
    device_tier_->FinishRelease();
    ASSERT_EQ(device_tier_->fills.size(), 1u);
    RunOut();
    EXPECT_FALSE(open->status.ok());
  }
}

TEST_F(OutOfMemoryTest, RemovedMeanwhileItIsNotTriedAgain) {
  Start(16, 16);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  { const auto open = OpenAndRunOut(MakeImage('b', 4)); }  // nobody waits
  device_->KeepOnly({a->key});
  device_tier_->FinishRelease();
  EXPECT_TRUE(device_tier_->fills.empty());
  ExpectNothingLeft();
}

TEST_F(OutOfMemoryTest, WithNobodyWaitingItGoesOn) {
  Start(16, 16);
  const ImagePtr b = MakeImage('b', 4);
  Bring(MakeImage('a', 4));
  { const auto open = OpenAndRunOut(b); }
  device_tier_->FinishRelease();
  device_tier_->Finish();
  EXPECT_EQ(StateIn(*device_, b), SegmentState::kResident);
}

TEST_F(OutOfMemoryTest, OpenedAnewMeanwhileItIsOneLoad) {
  Start(16, 16);
  const ImagePtr b = MakeImage('b', 4);
  Bring(MakeImage('a', 4));
  { const auto open = OpenAndRunOut(b); }
  const auto again = Open(*device_, b);
  ASSERT_EQ(device_tier_->fills.size(), 1u);
  device_tier_->FinishRelease();
  EXPECT_EQ(device_tier_->fills.size(), 1u);
  device_tier_->Finish();
  EXPECT_TRUE(again->lease);
}

TEST_F(OutOfMemoryTest, MemoryThatLingersIsNotWaitedFor) {
  Start(16, 16);
  const ImagePtr b = MakeImage('b', 4);
  Bring(MakeImage('a', 4));
  const auto open = OpenAndRunOut(b);
  device_tier_->KeepRelease({.device = 1, .inode = 2});
  timers_.Advance(std::chrono::seconds(2));
  ASSERT_EQ(device_tier_->fills.size(), 1u);
  RunOut();
  EXPECT_EQ(open->status.code(), StatusCode::kResourceExhausted);
}

TEST_F(OutOfMemoryTest, ADestroyedTierTriesNothingAgain) {
  Start(16, 16);
  Bring(MakeImage('a', 4));
  { const auto open = OpenAndRunOut(MakeImage('b', 4)); }
  device_.reset();
  device_tier_->FinishRelease();
  EXPECT_TRUE(device_tier_->fills.empty());
}

// Refusals of the tier beneath are no shortage of this one's.
TEST_F(OutOfMemoryTest, ARefusalBeneathPushesNobodyOut) {
  Start(8, 16);
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto held = Open(*host_, a);
  const auto open = Open(*device_, MakeImage('b', 8));
  timers_.Advance(milliseconds(0));
  EXPECT_EQ(open->status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(StateIn(*device_, a), SegmentState::kResident);
}

}  // namespace
}  // namespace trims
