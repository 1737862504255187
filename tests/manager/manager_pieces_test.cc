// What is put together of parts, on a device: in pieces, which models share there as they share parts on the host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::Outcome;

constexpr uint64_t kBlock = uint64_t{2} << 20;
constexpr uint64_t kBaseBlocks = 6;
constexpr uint64_t kIndex = 4096;

class ManagerPieces : public test::ManagerFixture {
 protected:
  void StartWithDevice(uint64_t device_blocks, uint64_t host_blocks = 100,
                       HostCopy copy = HostCopy::kKeep, Reclaim reclaim = Reclaim::kLazy,
                       uint64_t granule = kBlock) {
    manager_.reset();
    tier_ = std::make_unique<test::FakeTier>(host_blocks * kBlock);
    device_ = std::make_unique<test::FakeTier>(device_blocks * kBlock, "device:0", "sim:0");
    device_->piece_granule = granule;
    ManagerOptions options;
    options.residency = residency_;
    options.residency.policy = {.reclaim = reclaim};
    options.residency.host_copy = copy;
    manager_ = std::make_unique<Manager>(options,
                                         ManagerDependencies{.clock = &clock_,
                                                             .timers = &timers_,
                                                             .catalog = &catalog_,
                                                             .tiers = {tier_.get(), device_.get()},
                                                             .preparer = &preparer_,
                                                             .worker = &worker_});
  }
  ~ManagerPieces() override { manager_.reset(); }

  static ManifestVariant Blocks(uint64_t blocks) {
    ManifestVariant variant = test::MakeVariant(Variant::kFiles, blocks * kBlock / 4096);
    variant.granularity = Granularity::kBlock;
    return variant;
  }
  void Put(const std::string& name, char digit, const ManifestVariant& variant) {
    Manifest manifest = test::MakeManifest(test::Digest(digit), {variant});
    catalog_.entries.push_front(MakeCatalogEntry("default/" + name, "v1", std::move(manifest), 1));
  }
  void KnowBase() { Put("base", 'a', Blocks(kBaseBlocks)); }
  // The base with another block.
  void KnowTune(const std::string& name, char digit, uint64_t block) {
    ManifestVariant variant = Blocks(1);
    ManifestVariant base = Blocks(kBaseBlocks);
    base.extents.front().sha256 = test::Digest('a');
    variant.lengths = {kBaseBlocks * kBlock};
    variant.borrowed = {base};
    if (block > 0) variant.runs.push_back({1, 0, 0, block * kBlock});
    variant.runs.push_back({0, 0, 0, kBlock});
    if (const uint64_t left = kBaseBlocks - block - 1; left > 0)
      variant.runs.push_back({1, 0, (block + 1) * kBlock, left * kBlock});
    Put(name, digit, variant);
  }
  // As an add tells it: the model is there, and everybody hears of it.
  void TellChanged() {
    Know("other", '9', 2);
    Remove("other");
  }

  std::shared_ptr<Outcome> OpenOnDevice(const std::string& name, milliseconds deadline = {}) {
    return Open({.reference = name, .variant_key = {}, .tier = "sim:0", .deadline = deadline});
  }
  void FinishAll() {
    while (!tier_->fills.empty() || !device_->fills.empty()) {
      if (!tier_->fills.empty()) tier_->Finish();
      if (!device_->fills.empty()) device_->Finish();
    }
  }
  void FinishReleases() {
    while (!tier_->releases.empty() || !device_->releases.empty()) {
      if (!tier_->releases.empty()) tier_->FinishRelease();
      if (!device_->releases.empty()) device_->FinishRelease();
    }
  }
  std::shared_ptr<Outcome> HaveOnDevice(const std::string& name) {
    auto open = OpenOnDevice(name);
    FinishAll();
    EXPECT_TRUE(open->lease) << open->status.ToString();
    return open;
  }
  TierSnapshot OnDevice() { return manager_->Snapshot().tiers.at(1); }
  uint64_t Leases() { return manager_->Snapshot().leases; }

  std::unique_ptr<test::FakeTier> device_;
};

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

// Whatever comes and goes, models too: who has a lease has all pieces, and in the end nothing is held.
TEST_F(ManagerPieces, RandomOpensAndChangesLeaveNothingBehind) {
  std::mt19937_64 random(23);
  for (int round = 0; round < 40; ++round) {
    catalog_.entries.clear();
    KnowBase();
    KnowTune("tb", 'b', 1);
    static constexpr HostCopy kCopies[] = {HostCopy::kKeep, HostCopy::kDrop, HostCopy::kPin};
    StartWithDevice(7 + random() % 14, 12 + random() % 10, kCopies[random() % 3],
                    random() % 4 == 0 ? Reclaim::kEager : Reclaim::kLazy);
    std::vector<std::shared_ptr<Outcome>> opens;
    char next = 'c';
    for (int step = 0; step < 300; ++step) {
      const uint64_t choice = random() % 11;
      if (choice < 4) {
        const CatalogEntry& entry = *std::next(
            catalog_.entries.begin(), static_cast<ptrdiff_t>(random() % catalog_.entries.size()));
        const std::string name = entry.name;
        const milliseconds deadline(1 + random() % 50);
        opens.push_back(random() % 4 == 0 ? Open(name, deadline) : OpenOnDevice(name, deadline));
      } else if (choice < 6 && !opens.empty()) {
        opens.erase(opens.begin() + static_cast<ptrdiff_t>(random() % opens.size()));
      } else if (choice < 9) {
        test::FakeTier& tier = random() % 2 == 0 ? *tier_ : *device_;
        if (!tier.fills.empty()) {
          random() % 12 == 0 ? tier.Fail(StatusCode::kInternal) : tier.Finish();
        }
        if (!tier.releases.empty() && random() % 2 == 0) tier.FinishRelease();
      } else if (choice == 9) {
        timers_.Advance(milliseconds(random() % 20));
      } else if (random() % 8 == 0) {
        if (next <= 'f') {
          KnowTune(std::string("t") + next, next, random() % kBaseBlocks);
          ++next;
          TellChanged();
        } else if (catalog_.entries.size() > 1) {
          Remove(std::string(catalog_.entries.front().name));
        }
      }
      for (const auto& open : opens) {
        if (!open->lease) continue;
        for (const Lease& part : open->lease->borrowed()) part.bytes();
        uint64_t mapped = 0;
        for (const ManifestRun& run : open->lease->image().variant.runs) mapped += run.length;
        EXPECT_TRUE(mapped == 0 || mapped == kBaseBlocks * kBlock);
      }
      ASSERT_LE(OnDevice().used_bytes, OnDevice().budget_bytes);
      ASSERT_LE(Host().used_bytes, Host().budget_bytes);
    }
    opens.clear();
    while (!tier_->fills.empty() || !device_->fills.empty() || !tier_->releases.empty() ||
           !device_->releases.empty()) {
      FinishAll();
      FinishReleases();
    }
    EXPECT_EQ(Leases(), 0u);
    EXPECT_EQ(manager_->Snapshot().waiters, 0u);
    for (const TierSnapshot& tier : manager_->Snapshot().tiers) {
      EXPECT_EQ(tier.use.leased, 0u) << tier.name;
      EXPECT_EQ(tier.use.loading + tier.use.waiting, 0u) << tier.name;
    }
    EXPECT_EQ(OnDevice().wasted_bytes, 0u);
    manager_.reset();
  }
}

}  // namespace
}  // namespace trims
