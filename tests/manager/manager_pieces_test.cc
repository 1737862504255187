// What is put together of parts, on a device: in pieces, which models share there as they share parts on the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "manager/manager_pieces_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kBaseBlocks;
using test::kBlock;
using test::kIndex;
using test::ManagerPieces;
using test::Outcome;

// Its device came back as one that can put nothing together.
TEST_F(ManagerPieces, APinOfWhatADeviceCantPutTogetherIsNotTriedForEver) {
  KnowBase();
  KnowTune("tune", 'b', 2);
  catalog_.pins.insert(
      {.name = "default/tune", .version = "v1", .kind = Variant::kFiles, .tier = "device:0"});
  StartWithDevice(100, 100, HostCopy::kKeep, Reclaim::kLazy, /*granule=*/0);
  EXPECT_EQ(timers_.pending(), 0u);
  EXPECT_EQ(device_->started, 0);
  EXPECT_EQ(catalog_.pins.size(), 1u) << "which is said once the tier can";
}

TEST_F(ManagerPieces, WhatIsEqualIsOnTheDeviceOnce) {
  KnowBase();
  KnowTune("one", 'b', 2);
  KnowTune("two", 'c', 4);
  StartWithDevice(100);
  auto base = HaveOnDevice("base");
  EXPECT_EQ(OnDevice().used_bytes, kBaseBlocks * kBlock + kIndex);
  auto one = HaveOnDevice("one");
  EXPECT_EQ(OnDevice().used_bytes, (kBaseBlocks + 1) * kBlock + 2 * kIndex);
  auto two = HaveOnDevice("two");
  EXPECT_EQ(OnDevice().used_bytes, (kBaseBlocks + 2) * kBlock + 3 * kIndex);
  EXPECT_EQ(OnDevice().saved_bytes, 2 * (kBaseBlocks - 1) * kBlock);
  EXPECT_EQ(OnDevice().wasted_bytes, 0u);
  EXPECT_EQ(Leases(), 3u);
  EXPECT_EQ(Count().misses, 3u);
  EXPECT_TRUE(OpenOnDevice("two")->at_once);
  EXPECT_EQ(Count().hits, 1u);
  // Each has its own block and index alone; what is left of it somebody else has.
  two.reset();
  EXPECT_EQ(OnDevice().use.idle, kBlock + kIndex);
  one.reset();
  base.reset();
  EXPECT_EQ(OnDevice().use.idle, OnDevice().used_bytes);
}

TEST_F(ManagerPieces, APieceIsFilledFromItsPartsAndTheLeaseHasRunsOfWholePieces) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  auto open = OpenOnDevice("one");
  EXPECT_EQ(tier_->started, 2) << "the parts, each once";
  EXPECT_EQ(device_->started, 0);
  tier_->Finish();
  tier_->Finish();
  ASSERT_EQ(device_->started, 4) << "index, 2 blocks, its own, 3 blocks";
  uint64_t bytes = 0;
  for (const auto& fill : device_->fills) {
    EXPECT_NE(fill.request.beneath, nullptr);
    ASSERT_NE(fill.request.image->from, nullptr);
    for (const ImageSlice& slice : fill.request.image->slices) bytes += slice.length;
  }
  EXPECT_EQ(bytes, kBaseBlocks * kBlock);
  FinishAll();
  ASSERT_TRUE(open->lease);
  EXPECT_EQ(open->lease->borrowed().size(), 3u);
  EXPECT_EQ(open->lease->image().variant.runs.size(), 3u);
  EXPECT_EQ(open->lease->image().reference, "default/one:v1");
}

TEST_F(ManagerPieces, APieceFollowsTheLoadOfItsPart) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  tier_->feeding = true;
  auto open = OpenOnDevice("one");
  ASSERT_EQ(device_->started, 3) << "all but the index";
  for (const auto& fill : device_->fills) EXPECT_NE(fill.request.follow, nullptr);
  FinishAll();
  EXPECT_TRUE(open->lease) << open->status.ToString();
}

TEST_F(ManagerPieces, APieceThatFailsIsTheOpensFailureAndNothingIsHeld) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  for (int nth = 0; nth < 4; ++nth) {
    auto open = OpenOnDevice("one");
    while (!tier_->fills.empty()) tier_->Finish();
    for (int i = 0; i < nth && device_->fills.size() > 1; ++i) device_->Finish();
    device_->Fail(StatusCode::kInternal);
    EXPECT_EQ(open->status.code(), StatusCode::kInternal);
    FinishAll();
    EXPECT_EQ(Leases(), 0u);
    EXPECT_EQ(OnDevice().use.leased, 0u);
    EXPECT_EQ(Host().use.leased, 0u);
    const ControlWishes wishes{.reference = "one", .tier = "sim:0", .variants = {Variant::kFiles}};
    EXPECT_TRUE(manager_->Evict({}, wishes).ok());
    FinishReleases();
    EXPECT_EQ(OnDevice().used_bytes, 0u);
    timers_.Advance(milliseconds(60'000));  // beyond any back-off
  }
  HaveOnDevice("one");
}

TEST_F(ManagerPieces, APartThatFailsBeneathIsTheOpensFailure) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  auto open = OpenOnDevice("one");
  tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(open->status.code(), StatusCode::kDataLoss);
  FinishAll();
  EXPECT_EQ(Leases(), 0u);
  EXPECT_EQ(OnDevice().use.leased + OnDevice().use.loading + OnDevice().use.waiting, 0u);
}

TEST_F(ManagerPieces, MoreThanTheDeviceIsTooLargeAndWhatHasNoRoomEvictsNothing) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(kBaseBlocks);  // no room for an index
  EXPECT_EQ(OpenOnDevice("one")->status.code(), StatusCode::kTooLarge);
  EXPECT_EQ(tier_->started, 0);
  StartWithDevice(kBaseBlocks + 1);
  auto base = HaveOnDevice("base");
  EXPECT_EQ(OpenOnDevice("one")->status.code(), StatusCode::kResourceExhausted)
      << "a block fits, two indexes don't";
  EXPECT_EQ(OnDevice().use.leased, kBaseBlocks * kBlock + kIndex);
}

// What is mapped can't be cut again.
TEST_F(ManagerPieces, WhatWasThereWholeIsOpenedSoUntilItsLastLease) {
  KnowBase();
  StartWithDevice(100);
  auto before = HaveOnDevice("base");
  EXPECT_TRUE(before->lease->borrowed().empty());
  KnowTune("one", 'b', 2);
  TellChanged();
  auto again = OpenOnDevice("base");
  EXPECT_TRUE(again->at_once) << "a hit stays one";
  auto one = HaveOnDevice("one");
  EXPECT_EQ(OnDevice().wasted_bytes, (kBaseBlocks - 1) * kBlock);
  EXPECT_EQ(OnDevice().saved_bytes, 0u);
  before.reset();
  EXPECT_TRUE(device_->releases.empty());
  again.reset();
  FinishReleases();
  EXPECT_EQ(OnDevice().wasted_bytes, 0u);
  auto base = HaveOnDevice("base");
  EXPECT_EQ(base->lease->borrowed().size(), 3u);
  EXPECT_EQ(OnDevice().used_bytes, (kBaseBlocks + 1) * kBlock + 2 * kIndex);
}

TEST_F(ManagerPieces, WhatNobodyHasOpenGoesWhenItIsCutAnew) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  auto one = HaveOnDevice("one");
  HaveOnDevice("base");
  KnowTune("two", 'c', 0);  // cuts the first two blocks
  TellChanged();
  FinishReleases();
  EXPECT_TRUE(OpenOnDevice("one")->at_once) << "as it is";
  auto two = HaveOnDevice("two");
  EXPECT_EQ(OnDevice().wasted_bytes, kBlock) << "the second block";
  one.reset();
  FinishReleases();
  EXPECT_EQ(OnDevice().wasted_bytes, 0u);
  one = HaveOnDevice("one");
  EXPECT_EQ(OnDevice().used_bytes, (kBaseBlocks + 2) * kBlock + 3 * kIndex);
}

TEST_F(ManagerPieces, WithoutItsTunesABaseIsWholeAgain) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  auto base = HaveOnDevice("base");
  Remove("one");
  EXPECT_TRUE(OpenOnDevice("base")->at_once);
  base.reset();
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, 0u);
  base = HaveOnDevice("base");
  EXPECT_TRUE(base->lease->borrowed().empty());
}

TEST_F(ManagerPieces, WhatIsRemovedGoesAndItsBasesPiecesStay) {
  KnowBase();
  KnowTune("one", 'b', 2);
  KnowTune("two", 'c', 2);
  StartWithDevice(100);
  HaveOnDevice("one");
  HaveOnDevice("two");
  Remove("one");
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, kBaseBlocks * kBlock + kIndex);
  EXPECT_TRUE(OpenOnDevice("two")->at_once);
  Remove("two");
  Remove("base");
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, 0u);
  EXPECT_EQ(Host().used_bytes, 0u);
}

TEST_F(ManagerPieces, AnEvictionFreesWhatNobodyElseHas) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  auto one = HaveOnDevice("one");
  HaveOnDevice("base");
  const ControlWishes base{.reference = "base", .tier = "sim:0"};
  EXPECT_TRUE(manager_->Evict({}, base).ok());
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, kBaseBlocks * kBlock + kIndex) << "the third block went";
  const ControlWishes of_one{.reference = "one", .tier = "sim:0"};
  EXPECT_EQ(manager_->Evict({}, of_one).status().code(), StatusCode::kFailedPrecondition);
  ControlWishes when_idle = of_one;
  when_idle.when_idle = true;
  EXPECT_TRUE(manager_->Evict({}, when_idle).ok());
  one.reset();
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, (kBaseBlocks - 1) * kBlock) << "what it borrows stays, idle";
}

TEST_F(ManagerPieces, APinKeepsThemAndWhatIsPinnedIsNotCutAnew) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100, 100, HostCopy::kKeep, Reclaim::kEager);
  manager_->Pin({}, {.reference = "one", .tier = "sim:0"}, {},
                [](const auto& pinned) { EXPECT_TRUE(pinned.ok()) << pinned.status().ToString(); });
  FinishAll();
  FinishReleases();
  EXPECT_EQ(OnDevice().use.pinned, kBaseBlocks * kBlock + kIndex);
  KnowTune("two", 'c', 0);
  TellChanged();
  FinishAll();
  FinishReleases();
  EXPECT_EQ(OnDevice().use.pinned, kBaseBlocks * kBlock + kIndex);
  EXPECT_TRUE(OpenOnDevice("one")->at_once);
  manager_->Unpin({}, {.reference = "one", .tier = "sim:0"}, [](const auto&) {});
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, 0u);
}

TEST_F(ManagerPieces, UnpinnedItIsCutAnew) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  manager_->Pin({}, {.reference = "one", .tier = "sim:0"}, {}, [](const auto&) {});
  FinishAll();
  KnowTune("two", 'c', 0);
  TellChanged();
  EXPECT_EQ(OnDevice().use.pinned, kBaseBlocks * kBlock + kIndex);
  manager_->Unpin({}, {.reference = "one", .tier = "sim:0"}, [](const auto&) {});
  FinishReleases();
  EXPECT_EQ(OnDevice().use.idle, (kBaseBlocks - 2) * kBlock + kIndex) << "the first two went";
}

TEST_F(ManagerPieces, HowLongAModelIsKeptIsSaidOfItsPieces) {
  KnowBase();
  StartWithDevice(100, 100, HostCopy::kKeep, Reclaim::kEager);
  manager_->SetKeepAlive({}, "base", "10m", [](const auto& kept) { EXPECT_TRUE(kept.ok()); });
  auto base = HaveOnDevice("base");
  KnowTune("one", 'b', 2);
  TellChanged();
  base.reset();
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, 0u) << "as it was cut before";
  HaveOnDevice("base");
  FinishReleases();
  EXPECT_EQ(OnDevice().use.idle, kBaseBlocks * kBlock + kIndex);
  timers_.Advance(std::chrono::minutes(11));
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, 0u);
}

TEST_F(ManagerPieces, AHostCopyIsDroppedOnceNoPieceIsBroughtFromItAnyMore) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100, 100, HostCopy::kDrop);
  auto open = OpenOnDevice("one");
  tier_->Finish();
  tier_->Finish();
  while (device_->fills.size() > 1) {
    device_->Finish();
  }
  EXPECT_GT(Host().use.leased, 0u) << "the last piece is copied from it";
  device_->Finish();
  ASSERT_TRUE(open->lease);
  while (!tier_->releases.empty()) tier_->FinishRelease();
  EXPECT_EQ(Host().used_bytes, 0u);
}

TEST_F(ManagerPieces, AHostCopyIsHeldAsLongAsAnyPieceOfIt) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100, 100, HostCopy::kPin);
  auto open = HaveOnDevice("one");
  EXPECT_EQ(Host().use.pinned, Host().used_bytes);
  open.reset();
  EXPECT_TRUE(manager_->Evict({}, {.reference = "one", .tier = "sim:0"}).ok());
  FinishReleases();
  EXPECT_EQ(Host().use.pinned, 0u);
}

TEST_F(ManagerPieces, WhoKnowsNoRunsGetsABaseWholeAndNoTune) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  OpenParams params{.reference = "base", .variant_key = {}, .tier = "sim:0", .runs = false};
  auto base = Open(params);
  FinishAll();
  ASSERT_TRUE(base->lease);
  EXPECT_TRUE(base->lease->borrowed().empty());
  params.reference = "one";
  EXPECT_EQ(Open(params)->status.code(), StatusCode::kUnimplemented);
  base.reset();
  FinishReleases();
  EXPECT_EQ(OnDevice().used_bytes, 0u) << "nobody shares it";
}

TEST_F(ManagerPieces, AnExplanationAndAnyAreAboutThePieces) {
  KnowBase();
  KnowTune("one", 'b', 2);
  StartWithDevice(100);
  HaveOnDevice("base");
  const ControlWishes wishes{.reference = "one", .tier = "sim:0"};
  Result<ExplainedOpen> explained = manager_->Explain(wishes);
  ASSERT_TRUE(explained.ok());
  EXPECT_EQ(explained->plans.front().state, SegmentState::kAbsent);
  EXPECT_EQ(explained->plans.front().missing_bytes, kBlock + kIndex);
  auto one = Open({.reference = "one", .variant_key = {}, .tier = "any"});
  FinishAll();
  ASSERT_TRUE(one->lease);
  EXPECT_EQ(one->lease->tier(), "device:0");
  EXPECT_EQ(manager_->Explain(wishes)->plans.front().state, SegmentState::kResident);
}

// An open is one load of a quota, whatever its pieces.
TEST_F(ManagerPieces, AQuotaCountsOneLoad) {
  KnowBase();
  KnowTune("one", 'b', 2);
  residency_.quotas = Quotas{{"default", {.loads = 2}}};
  StartWithDevice(100);
  auto one = OpenOnDevice("one");
  FinishAll();
  EXPECT_TRUE(one->lease) << one->status.ToString();
}

}  // namespace
}  // namespace trims
