// What is brought into a tier by another way than a load: its room, and what it is then.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "residency/segment_table.h"
#include "store/eviction_policy.h"
#include "support/manager_fakes.h"

namespace trims {
namespace {

constexpr uint64_t kLandingPage = 4096;

class LandingTest : public ::testing::Test {
 protected:
  void Start(uint64_t pages, Reclaim reclaim = Reclaim::kLazy) {
    tier_.emplace(pages * kLandingPage, "host");
    ResidencyOptions options;
    options.policy.reclaim = reclaim;
    table_.emplace(options,
                   ResidencyDependencies{.clock = &clock_, .timers = &timers_, .tier = &*tier_},
                   &counters_);
  }
  static ImagePtr MakeImage(char digit, uint64_t pages) {
    const Manifest manifest =
        test::MakeManifest(test::Digest(digit), {test::MakeVariant(Variant::kFiles, pages - 1)});
    return MakeImages(manifest, std::string("default/") + digit, "v1").front();
  }
  Result<OpenOutcome> Open(const ImagePtr& image) {
    return table_->Open(image, {}, [](const Result<Lease>&) {});
  }
  bool IsHit(const ImagePtr& image) {
    const Result<OpenOutcome> outcome = Open(image);
    return outcome.ok() && std::holds_alternative<Lease>(*outcome);
  }
  std::unique_ptr<LandingRoom> Take(uint64_t pages) {
    Result<std::unique_ptr<LandingRoom>> room = table_->TakeRoom(pages * kLandingPage);
    EXPECT_TRUE(room.ok()) << room.status().ToString();
    return room.ok() ? *std::move(room) : nullptr;
  }
  uint64_t Used() { return tier_->budget().used() / kLandingPage; }

  ManualClock clock_;
  test::FakeTimers timers_{&clock_};
  Counters counters_;
  std::optional<test::FakeTier> tier_;
  std::optional<SegmentTable> table_;
};

// What lands for it then has no room: who waits is served by the load that is tried again.
TEST_F(LandingTest, WhatIsTriedAgainForMemoryIsNotForgotten) {
  Start(10);
  const ImagePtr idle = MakeImage('b', 5);
  const ImagePtr image = MakeImage('a', 5);
  table_->Adopt(idle, Take(5), test::SmallBytes());
  std::optional<Result<Lease>> answer;
  const Result<OpenOutcome> wait =
      table_->Open(image, {}, [&](Result<Lease> lease) { answer = std::move(lease); });
  ASSERT_TRUE(wait.ok());
  std::unique_ptr<LandingRoom> room;
  tier_->fills.front().request.control->SetOutOfMemory();
  tier_->Finish(Status(StatusCode::kResourceExhausted, "no memory"));
  ASSERT_EQ(tier_->releases.size(), 1u) << "another goes for it";
  room = Take(5);
  table_->Adopt(image, std::move(room), test::SmallBytes());
  EXPECT_EQ(tier_->releases.size(), 2u) << "what landed is not taken";
  tier_->FinishRelease();
  tier_->FinishRelease();
  tier_->Finish();
  ASSERT_TRUE(answer && answer->ok());
}

TEST_F(LandingTest, WhatIsAdoptedIsAHit) {
  Start(10);
  const ImagePtr image = MakeImage('a', 5);
  std::unique_ptr<LandingRoom> room = Take(4);  // its index is not known yet
  EXPECT_EQ(Used(), 4u);
  EXPECT_EQ(table_->Use().loading, 4 * kLandingPage);
  table_->Adopt(image, std::move(room), test::SmallBytes());
  EXPECT_EQ(Used(), 5u);
  EXPECT_EQ(table_->Use().loading, 0u);
  EXPECT_EQ(table_->Use().idle, 5 * kLandingPage);
  EXPECT_TRUE(IsHit(image));
  EXPECT_EQ(tier_->started, 0);
}

TEST_F(LandingTest, WhoOpensWhatIsBeingTakenInWaitsForItAsForALoad) {
  Start(10);
  tier_->taking_in_takes_time = true;
  const ImagePtr image = MakeImage('a', 5);
  table_->Adopt(image, Take(4), test::SmallBytes());
  const Result<OpenOutcome> outcome = Open(image);
  ASSERT_TRUE(outcome.ok());
  EXPECT_TRUE(std::holds_alternative<OpenWait>(*outcome));
  EXPECT_EQ(tier_->started, 0);
  tier_->Finish();
  EXPECT_TRUE(IsHit(image));
}

TEST_F(LandingTest, NobodyIsPushedOutForIt) {
  Start(10);
  table_->Adopt(MakeImage('a', 6), Take(5), test::SmallBytes());
  EXPECT_EQ(table_->TakeRoom(5 * kLandingPage).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(table_->TakeRoom(11 * kLandingPage).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(Used(), 6u);
}

TEST_F(LandingTest, RoomThatIsGivenBackGoesToThoseWhoWaitForIt) {
  Start(10);
  std::unique_ptr<LandingRoom> room = Take(8);
  const ImagePtr image = MakeImage('a', 4);
  EXPECT_EQ(Open(image).status().code(), StatusCode::kResourceExhausted);
  room.reset();
  EXPECT_EQ(Used(), 0u);
  const Result<OpenOutcome> waits = Open(image);
  EXPECT_TRUE(waits.ok());
  EXPECT_EQ(tier_->started, 1);
}

TEST_F(LandingTest, WhatIsThereAlreadyStaysAndTheOtherIsFreed) {
  Start(20);
  const ImagePtr image = MakeImage('a', 5);
  table_->Adopt(image, Take(4), test::SmallBytes());
  table_->Adopt(image, Take(4), test::SmallBytes());
  EXPECT_EQ(Used(), 9u) << "until it is free";
  const LetGoCalls late = tier_->releases.front();  // whoever freed it has them still
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 5u);
  EXPECT_TRUE(IsHit(image));
}

TEST_F(LandingTest, ALoadThatIsOnItsWayGoesOn) {
  Start(20);
  const ImagePtr image = MakeImage('a', 5);
  const Result<OpenOutcome> waits = Open(image);
  table_->Adopt(image, Take(4), test::SmallBytes());
  tier_->FinishRelease();
  tier_->Finish();
  EXPECT_TRUE(IsHit(image));
  EXPECT_EQ(Used(), 5u);
}

TEST_F(LandingTest, WithoutRoomForItsIndexItIsFreed) {
  Start(4);
  const ImagePtr image = MakeImage('a', 5);
  table_->Adopt(image, Take(4), test::SmallBytes());
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
  EXPECT_EQ(table_->FindByKey(image->key), nullptr);
}

TEST_F(LandingTest, ATierThatKeepsNothingTakesNone) {
  Start(10, Reclaim::kEager);
  EXPECT_EQ(table_->TakeRoom(kLandingPage).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(LandingTest, RoomMayOutliveTheTable) {
  Start(10);
  const std::unique_ptr<LandingRoom> room = Take(4);
  table_.reset();
}

}  // namespace
}  // namespace trims
