// What is put together of parts: one open, one lease, one answer, whatever becomes of the parts.
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
using test::kPage;
using test::Outcome;

constexpr uint64_t kBasePages = 6;
constexpr uint64_t kOwnPages = 2;

class ManagerParts : public test::ManagerFixture {
 protected:
  void KnowBase() { Know("base", 'a', kBasePages); }
  // Of its own a page and its index, and all of the base.
  void KnowTune(const std::string& name, char digit) {
    ManifestVariant variant = test::MakeVariant(Variant::kFiles, kOwnPages - 1);
    variant.granularity = Granularity::kBlock;
    ManifestVariant base = test::MakeVariant(Variant::kFiles, kBasePages - 1);
    base.extents.front().sha256 = test::Digest('a');
    variant.lengths = {kBasePages * kPage};
    variant.borrowed = {base};
    variant.runs = {{1, 0, 0, (kBasePages - 1) * kPage}, {0, 0, 0, kPage}};
    Manifest manifest = test::MakeManifest(test::Digest(digit), {variant});
    catalog_.entries.push_front(MakeCatalogEntry("default/" + name, "v1", std::move(manifest), 1));
  }
  void KnowAll() {
    KnowBase();
    KnowTune("one", 'b');
    KnowTune("two", 'c');
  }
  uint64_t Leases() { return manager_->Snapshot().leases; }
  size_t Waiters() { return manager_->Snapshot().waiters; }
};

TEST_F(ManagerParts, AnOpenIsAnsweredOnceAllAreThere) {
  KnowAll();
  Start(20);
  auto open = Open("one");
  EXPECT_EQ(tier_->started, 2);
  EXPECT_EQ(Waiters(), 1u);
  EXPECT_EQ(StateOf("one"), "loading");
  EXPECT_EQ(open->wait->progress()->bytes_total, kBasePages * kPage);
  tier_->Finish();
  EXPECT_FALSE(open->called);
  tier_->Finish();
  ASSERT_TRUE(open->lease);
  EXPECT_EQ(open->lease->borrowed().size(), 1u);
  EXPECT_EQ(Leases(), 1u);
  EXPECT_EQ(Waiters(), 0u);
  EXPECT_EQ(Used(), kBasePages + kOwnPages);
  auto two = Open("two");  // has its base already
  EXPECT_EQ(tier_->started, 3);
  tier_->Finish();
  EXPECT_TRUE(two->lease);
  EXPECT_TRUE(Open("one")->at_once);
  EXPECT_TRUE(Open("base")->at_once);
  EXPECT_EQ(Count().opens, 4u);
  EXPECT_EQ(Count().misses, 2u);
  EXPECT_EQ(Count().hits, 2u);
}

TEST_F(ManagerParts, WithItsLastLeaseEachPartIsIdleByItself) {
  KnowAll();
  Start(20);
  auto one = Open("one");
  auto two = Open("two");
  while (!tier_->fills.empty()) tier_->Finish();
  ASSERT_TRUE(one->lease && two->lease);
  one.reset();
  EXPECT_EQ(Host().use.idle, kOwnPages * kPage);
  two.reset();
  EXPECT_EQ(Host().use.idle, (kBasePages + 2 * kOwnPages) * kPage);
  EXPECT_EQ(Leases(), 0u);
}

TEST_F(ManagerParts, OneThatFailsIsTheOpensFailureAndNothingIsHeld) {
  KnowAll();
  Start(20);
  auto open = Open("one");
  tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(open->status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(Waiters(), 0u);
  tier_->Finish();  // the other's load goes on
  EXPECT_EQ(Leases(), 0u);
  EXPECT_EQ(Host().use.leased, 0u);
  auto again = Open("one");
  tier_->Finish();
  EXPECT_TRUE(again->lease);
}

TEST_F(ManagerParts, WhoGivesUpHoldsNothing) {
  KnowAll();
  Start(20);
  auto open = Open("one");
  tier_->Finish();
  open.reset();
  EXPECT_EQ(Count().cancelled, 1u);
  EXPECT_EQ(Waiters(), 0u);
  EXPECT_EQ(Host().use.leased, 0u);
  tier_->Finish();
  EXPECT_EQ(Host().use.idle, (kBasePages + kOwnPages) * kPage);
}

TEST_F(ManagerParts, ADeadlineIsTheOpensAndTheLoadsGoOn) {
  KnowAll();
  Start(20);
  auto open = Open("one", milliseconds(10));
  timers_.Advance(milliseconds(11));
  EXPECT_EQ(open->status.code(), StatusCode::kDeadlineExceeded);
  tier_->Finish();
  tier_->Finish();
  EXPECT_EQ(Host().use.idle, (kBasePages + kOwnPages) * kPage);
  EXPECT_EQ(Waiters(), 0u);
  EXPECT_EQ(Leases(), 0u);
}

TEST_F(ManagerParts, WhatHasNoRoomEvictsNothing) {
  KnowAll();
  Know("held", 'd', 4);
  Know("idle", 'e', 3);
  Start(11);
  auto held = OpenResident("held");
  OpenResident("idle");
  auto open = Open("one");
  EXPECT_EQ(open->status.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(StateOf("idle"), "resident");
  EXPECT_EQ(Host().use.waiting, 0u);
}

TEST_F(ManagerParts, MoreThanTheTierIsTooLarge) {
  KnowAll();
  Start(kBasePages + kOwnPages - 1);
  EXPECT_EQ(Open("one")->status.code(), StatusCode::kTooLarge);
  EXPECT_EQ(tier_->started, 0);
}

TEST_F(ManagerParts, APartThatIsThereDoesNotGoForAnother) {
  KnowAll();
  Know("other", 'd', 2);
  Start(kBasePages + kOwnPages);
  OpenResident("base");
  clock_.Advance(milliseconds(1));
  OpenResident("other");  // used last
  auto open = Open("one");
  EXPECT_EQ(StateOf("base"), "resident");
  EXPECT_EQ(StateOf("other"), "draining");
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(open->lease);
}

TEST_F(ManagerParts, APinKeepsAllOfThemAndUnpinningLetsThemGo) {
  KnowAll();
  Start(20, Reclaim::kEager);
  bool done = false;
  manager_->Pin({}, {.reference = "one"}, {}, [&](const Result<ControlledModel>& pinned) {
    done = true;
    EXPECT_TRUE(pinned.ok()) << pinned.status().ToString();
  });
  while (!tier_->fills.empty()) tier_->Finish();
  EXPECT_TRUE(done);
  EXPECT_EQ(Host().use.pinned, (kBasePages + kOwnPages) * kPage);
  EXPECT_EQ(StateOf("one"), "resident");
  manager_->Unpin({}, {.reference = "one"}, [](const auto&) {});
  while (!tier_->releases.empty()) tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
}

TEST_F(ManagerParts, AnExplanationIsOfAllOfThem) {
  KnowAll();
  Start(20);
  OpenResident("base");
  const Result<ExplainedOpen> explained = manager_->Explain({.reference = "one"});
  ASSERT_TRUE(explained.ok());
  EXPECT_EQ(explained->plans.front().state, SegmentState::kAbsent);
  EXPECT_EQ(explained->plans.front().bytes, (kBasePages + kOwnPages) * kPage);
  EXPECT_EQ(explained->moves_bytes, kOwnPages * kPage);
  auto open = Open("one");
  tier_->Finish();
  EXPECT_EQ(manager_->Explain({.reference = "one"})->plans.front().state, SegmentState::kResident);
}

// Whatever comes and goes: who has a lease has all parts, and in the end nothing is held.
TEST_F(ManagerParts, RandomOpensLeaveNothingBehind) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 30; ++round) {
    catalog_.entries.clear();
    KnowBase();
    for (char digit = 'b'; digit <= 'f'; ++digit) KnowTune(std::string("t") + digit, digit);
    Know("x", '7', 3);
    Start(8 + random() % 12, random() % 4 == 0 ? Reclaim::kEager : Reclaim::kLazy);
    std::vector<std::shared_ptr<Outcome>> opens;
    for (int step = 0; step < 300; ++step) {
      const uint64_t choice = random() % 10;
      if (choice < 4) {
        static constexpr const char* kNames[] = {"base", "tb", "tc", "td", "te", "tf", "x"};
        opens.push_back(Open(kNames[random() % 7], milliseconds(1 + random() % 50)));
      } else if (choice < 6 && !opens.empty()) {
        opens.erase(opens.begin() + static_cast<ptrdiff_t>(random() % opens.size()));
      } else if (choice < 8 && !tier_->fills.empty()) {
        random() % 8 == 0 ? tier_->Fail(StatusCode::kDataLoss) : tier_->Finish();
      } else if (choice == 8 && !tier_->releases.empty()) {
        tier_->FinishRelease();
      } else {
        timers_.Advance(milliseconds(random() % 20));
      }
      for (const auto& open : opens) {
        if (!open->lease) continue;
        EXPECT_FALSE(open->lease->bytes().extents.empty() && open->lease->borrowed().empty());
        for (const Lease& part : open->lease->borrowed()) part.bytes();
      }
      ASSERT_LE(Host().used_bytes, Host().budget_bytes);
    }
    opens.clear();
    while (!tier_->fills.empty() || !tier_->releases.empty()) {
      if (!tier_->fills.empty()) tier_->Finish();
      if (!tier_->releases.empty()) tier_->FinishRelease();
    }
    EXPECT_EQ(Leases(), 0u);
    EXPECT_EQ(Waiters(), 0u);
    EXPECT_EQ(Host().use.leased, 0u);
    EXPECT_EQ(Host().use.loading + Host().use.waiting, 0u);
    manager_.reset();
  }
}

}  // namespace
}  // namespace trims
