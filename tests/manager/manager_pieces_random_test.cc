// Random opens and changes of the catalog, of models that share pieces on a device.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "manager/manager_pieces_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kBaseBlocks;
using test::kBlock;
using test::ManagerPieces;
using test::Outcome;

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
