// A device's segment that is filled from another device's.
#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "residency/tiers_fixture.h"

namespace trims {
namespace {

using test::kPage;

class PeersTest : public test::TiersFixture {
 protected:
  void Start() {
    TiersFixture::Start(16, 16);
    other_tier_.emplace(16 * kPage, "device:1");
    other_tier_->takes_from = "device:0";
    other_.emplace(device_options_, Dependencies(&*other_tier_, &*host_), &counters_);
    other_->SetPeers({&*device_});
    device_->SetPeers({&*other_});
  }
  // Resident on the first device, and, with `on_host`, in the host's memory.
  void Bring(const ImagePtr& image, bool on_host = false) {
    const auto open = Open(*device_, image);
    host_tier_->Finish();
    device_tier_->Finish();
    EXPECT_TRUE(open->lease);
    if (on_host) return;
    host_->EvictWhenIdle(image->key);
    host_tier_->FinishRelease();
  }
  const FillRequest& Request() const { return other_tier_->fills.front().request; }

  std::optional<test::FakeTier> other_tier_;
  std::optional<SegmentTable> other_;  // before the ones that it fills from
};

TEST_F(PeersTest, WhatTheHostLacksComesFromThePeer) {
  Start();
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto open = Open(*other_, a);
  ASSERT_EQ(other_tier_->started, 1);
  EXPECT_EQ(Request().beneath, device_->FindByKey(a->key)->shared_bytes());
  EXPECT_EQ(device_->leases(), 1u) << "its source must not go while it is read";
  EXPECT_EQ(host_tier_->started, 1) << "once, before";
  other_tier_->Finish();
  EXPECT_TRUE(open->lease);
  EXPECT_EQ(device_->leases(), 0u);
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kAbsent);
}

TEST_F(PeersTest, WhatTheHostHasComesFromThereUnlessPeersAreQuicker) {
  Start();
  const ImagePtr a = MakeImage('a', 4);
  Bring(a, /*on_host=*/true);
  EXPECT_EQ(other_->PeerFor(*a), nullptr);
  other_tier_->quicker_from_peers = true;
  EXPECT_EQ(other_->PeerFor(*a), &*device_);
  const auto open = Open(*other_, a);
  EXPECT_EQ(Request().beneath, device_->FindByKey(a->key)->shared_bytes());
  EXPECT_EQ(host_->leases(), 0u);
}

TEST_F(PeersTest, WhatThePeerLacksOrOnlyGetsComesByTheHost) {
  Start();
  const ImagePtr a = MakeImage('a', 4);
  const auto loading = Open(*device_, a);
  EXPECT_EQ(other_->PeerFor(*a), nullptr);
  const auto open = Open(*other_, a);
  EXPECT_TRUE(other_tier_->fills.empty());
  host_tier_->Finish();
  EXPECT_EQ(Request().beneath, host_->FindByKey(a->key)->shared_bytes());
}

TEST_F(PeersTest, OfAnotherKindItIsNoPeer) {
  Start();
  other_tier_->takes_from = "device:7";
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  EXPECT_EQ(other_->PeerFor(*a), nullptr);
}

TEST_F(PeersTest, WithoutAWayItComesByTheHostAfterAll) {
  Start();
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto open = Open(*other_, a);
  other_tier_->Fail(StatusCode::kUnimplemented);
  EXPECT_EQ(device_->leases(), 0u);
  EXPECT_TRUE(open->status.ok());
  EXPECT_EQ(StateIn(*host_, a), SegmentState::kLoading);
  host_tier_->Finish();
  ASSERT_EQ(other_tier_->fills.size(), 1u);
  EXPECT_EQ(Request().beneath, host_->FindByKey(a->key)->shared_bytes());
  other_tier_->Finish();
  EXPECT_TRUE(open->lease);
  EXPECT_EQ(counters_.load_failures, 0u);
}

TEST_F(PeersTest, AFailureByTheHostIsTheLoads) {
  Start();
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto open = Open(*other_, a);
  other_tier_->Fail(StatusCode::kUnavailable);
  host_tier_->Finish();
  other_tier_->Fail(StatusCode::kUnavailable);
  EXPECT_EQ(open->status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(other_->budget().used(), 0u);
}

TEST_F(PeersTest, AShortageOfMemoryIsNotThePeers) {
  Start();
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto open = Open(*other_, a);
  Request().control->SetOutOfMemory();
  other_tier_->Fail(StatusCode::kResourceExhausted);
  EXPECT_EQ(open->status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(host_tier_->started, 1);
}

TEST_F(PeersTest, HeldOnTheHostItIsHeldForTheCopyOfThePeersToo) {
  device_options_.host_copy = HostCopy::kPin;
  Start();
  other_tier_->quicker_from_peers = true;
  const ImagePtr a = MakeImage('a', 4);
  Bring(a, /*on_host=*/true);
  {
    const auto open = Open(*other_, a);
    other_tier_->Finish();
  }
  device_->EvictWhenIdle(a->key);
  EXPECT_TRUE(host_->FindByKey(a->key)->held_for_above());
}

TEST_F(PeersTest, LetGoOfTheyMayEndInAnyOrder) {
  Start();
  device_tier_->takes_from = "device:1";
  const ImagePtr a = MakeImage('a', 4);
  Bring(a);
  const auto open = Open(*other_, a);
  other_->LetGoOfPeers();
  EXPECT_EQ(device_->leases(), 0u);
  EXPECT_EQ(other_->PeerFor(*a), nullptr);
  device_.reset();
  open->wait.reset();
  other_.reset();
}

}  // namespace
}  // namespace trims
