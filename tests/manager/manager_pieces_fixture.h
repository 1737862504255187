// ManagerPieces: a manager with a device, and models that share parts there.
#ifndef TRIMS_TESTS_MANAGER_MANAGER_PIECES_FIXTURE_H_
#define TRIMS_TESTS_MANAGER_MANAGER_PIECES_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "manager/manager_fixture.h"

namespace trims::test {

inline constexpr uint64_t kBlock = uint64_t{2} << 20;
inline constexpr uint64_t kBaseBlocks = 6;
inline constexpr uint64_t kIndex = 4096;

class ManagerPieces : public ManagerFixture {
 protected:
  void StartWithDevice(uint64_t device_blocks, uint64_t host_blocks = 100,
                       HostCopy copy = HostCopy::kKeep, Reclaim reclaim = Reclaim::kLazy,
                       uint64_t granule = kBlock) {
    manager_.reset();
    tier_ = std::make_unique<FakeTier>(host_blocks * kBlock);
    device_ = std::make_unique<FakeTier>(device_blocks * kBlock, "device:0", "sim:0");
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
    ManifestVariant variant = MakeVariant(Variant::kFiles, blocks * kBlock / 4096);
    variant.granularity = Granularity::kBlock;
    return variant;
  }
  void Put(const std::string& name, char digit, const ManifestVariant& variant) {
    Manifest manifest = MakeManifest(Digest(digit), {variant});
    catalog_.entries.push_front(MakeCatalogEntry("default/" + name, "v1", std::move(manifest), 1));
  }
  void KnowBase() { Put("base", 'a', Blocks(kBaseBlocks)); }
  // The base with another block.
  void KnowTune(const std::string& name, char digit, uint64_t block) {
    ManifestVariant variant = Blocks(1);
    ManifestVariant base = Blocks(kBaseBlocks);
    base.extents.front().sha256 = Digest('a');
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

  std::shared_ptr<Outcome> OpenOnDevice(const std::string& name,
                                        std::chrono::milliseconds deadline = {}) {
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

  std::unique_ptr<FakeTier> device_;
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_MANAGER_MANAGER_PIECES_FIXTURE_H_
