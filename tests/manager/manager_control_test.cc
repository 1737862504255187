// What an operator says of the tiers: pins, prefetches, evictions, drains.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using ::testing::HasSubstr;

template <typename Value>
struct Told {
  std::optional<Result<Value>> answer;
  Status status() const {
    return answer ? answer->status() : Status(StatusCode::kInternal, "not answered");
  }
};

class ManagerControl : public test::ManagerFixture {
 protected:
  using Answer = std::shared_ptr<Told<ControlledModel>>;

  // Three of which any two fit.
  void Begin(Reclaim reclaim = Reclaim::kLazy) {
    for (const char* name : {"a", "b", "c"}) {
      if (catalog_.Find({.name = std::string("default/") + name, .version = "", .digest = ""}).ok())
        continue;
      Know(name, name[0], 4);
    }
    Start(8, reclaim);
  }
  template <typename Call>
  Answer Ask(Call call) {
    auto told = std::make_shared<Told<ControlledModel>>();
    call([told](Result<ControlledModel> model) {
      EXPECT_FALSE(told->answer) << "answered twice";
      told->answer = std::move(model);
    });
    return told;
  }
  Answer Pin(const ControlWishes& wishes, uid_t uid = 0) {
    return Ask([&](auto done) { manager_->Pin(wire::Principal{.uid = uid}, wishes, {}, done); });
  }
  Answer Unpin(const std::string& reference, const std::string& tier = "",
               const std::vector<Variant>& variants = {}) {
    return Ask([&](auto done) {
      manager_->Unpin({}, {.reference = reference, .tier = tier, .variants = variants}, done);
    });
  }
  Answer Prefetch(const ControlWishes& wishes, Preparer::Progress progress = {}) {
    return Ask([&](auto done) { manager_->Prefetch({}, wishes, progress, done); });
  }
  void PinWhole(const std::string& reference) {
    const Answer pinned = Pin({.reference = reference});
    if (!pinned->answer) tier_->Finish();
    ASSERT_TRUE(pinned->status().ok()) << pinned->status().ToString();
  }
  void Restart() {
    manager_.reset();
    Begin();
  }
};

// One that is pinned and whose load failed takes no room, but is to have it.
TEST_F(ManagerControl, PinsThatComeAtOnceAreNoMoreThanThereIsRoomFor) {
  Begin();
  PinWhole("a");
  Restart();
  tier_->Fail(StatusCode::kDataLoss);
  const Answer first = Pin({.reference = "b"});
  const Answer second = Pin({.reference = "c"});
  tier_->Finish();
  tier_->Finish();
  EXPECT_TRUE(first->status().ok()) << first->status().ToString();
  EXPECT_EQ(second->status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(catalog_.pins.size(), 2u);
}

TEST_F(ManagerControl, APinLoadsAndKeepsWhateverNeedsTheRoom) {
  Begin();
  const Answer pinned = Pin({.reference = "a"});
  EXPECT_FALSE(pinned->answer);
  EXPECT_TRUE(catalog_.pins.empty()) << "it may not fit yet";
  tier_->Finish();
  ASSERT_TRUE(pinned->status().ok()) << pinned->status().ToString();
  EXPECT_EQ((*pinned->answer)->variants.at(0).state, SegmentState::kResident);
  EXPECT_TRUE((*pinned->answer)->variants.at(0).pinned);
  EXPECT_EQ((*pinned->answer)->variants.at(0).leases, 0u);
  EXPECT_EQ(catalog_.pins.size(), 1u);
  EXPECT_EQ(Host().use.pinned, 4 * test::kPage);
  EXPECT_EQ(Host().use.idle, 0u);
  OpenResident("b");
  Open("c");
  EXPECT_EQ(StateOf("a"), "resident") << "used longer ago than b";
  EXPECT_EQ(StateOf("b"), "draining");
}

TEST_F(ManagerControl, APinnedModelIsNotReclaimed) {
  Begin(Reclaim::kEager);
  PinWhole("a");
  OpenResident("a");
  EXPECT_EQ(StateOf("a"), "resident");
  ASSERT_TRUE(manager_->ChangePolicy({}, {.eviction = "flush"}).ok());
  EXPECT_EQ(StateOf("a"), "resident");
  ASSERT_TRUE(Unpin("a")->status().ok());
  EXPECT_EQ(StateOf("a"), "draining") << "as if its last lease had just ended";
  EXPECT_TRUE(catalog_.pins.empty());
}

TEST_F(ManagerControl, PinsSurviveARestartAndAreLoadedAgain) {
  Begin();
  PinWhole("a");
  Restart();
  EXPECT_EQ(StateOf("a"), "loading");
  tier_->Finish();
  OpenResident("b");
  Open("c");
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_TRUE(manager_->Model("a")->model.variants.at(0).pinned);
}

TEST_F(ManagerControl, APinThatDoesNotFitIsRefusedWithTheNumbersAndNotKept) {
  Begin();
  PinWhole("a");
  PinWhole("b");
  const Status full = Pin({.reference = "c"})->status();
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(full.message(), HasSubstr("default/a:v1 (16384 bytes)"));
  EXPECT_THAT(full.message(), HasSubstr("32768 bytes of the 32768 bytes"));
  ASSERT_TRUE(Unpin("b")->status().ok());
  const auto held = OpenResident("b");
  const Status leased = Pin({.reference = "c"})->status();
  EXPECT_EQ(leased.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(leased.message(), HasSubstr("default/b:v1 (16384 bytes, leases: 1)"));
  EXPECT_THAT(leased.message(), HasSubstr("default/a:v1 (16384 bytes, pinned)"));
  EXPECT_EQ(catalog_.pins.size(), 1u);
  Know("large", 'd', 9);
  EXPECT_EQ(Pin({.reference = "large"})->status().code(), StatusCode::kTooLarge);
}

TEST_F(ManagerControl, APinThatCantBeWrittenIsNone) {
  Begin();
  OpenResident("a");
  catalog_.next = Status(StatusCode::kDataLoss, "the disk");
  EXPECT_EQ(Pin({.reference = "a"})->status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Host().use.pinned, 0u);
  EXPECT_EQ(Host().use.idle, 4 * test::kPage);
}

TEST_F(ManagerControl, ALoadThatFailsIsNoPin) {
  Begin();
  const Answer pinned = Pin({.reference = "a"});
  tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(pinned->status().code(), StatusCode::kDataLoss);
  EXPECT_TRUE(catalog_.pins.empty());
}

TEST_F(ManagerControl, ARemovedModelTakesItsPinsAlong) {
  Begin();
  PinWhole("a");
  Remove("a");
  EXPECT_TRUE(catalog_.pins.empty());
  EXPECT_EQ(Host().use.pinned, 0u);
  EXPECT_EQ(Host().use.draining, 4 * test::kPage);
}

TEST_F(ManagerControl, OfSeveralVariantsTheUsualOneIsMeantOrThoseNamed) {
  catalog_.entries.push_front(MakeCatalogEntry(
      "default/onnx", "v1",
      test::MakeManifest(test::Digest('e'), {test::MakeVariant(Variant::kFiles, 1),
                                             test::MakeVariant(Variant::kTensors, 1),
                                             test::MakeVariant(Variant::kOrt, 1, "ort-1")}),
      1));
  Begin();
  const Answer usual = Pin({.reference = "onnx"});
  tier_->Finish();
  ASSERT_TRUE(usual->status().ok());
  ASSERT_EQ((*usual->answer)->variants.size(), 1u);
  EXPECT_EQ((*usual->answer)->variants[0].kind, Variant::kOrt);
  const Answer named = Pin({.reference = "onnx", .variants = {Variant::kTensors, Variant::kFiles}});
  tier_->Finish();
  tier_->Finish();
  ASSERT_TRUE(named->status().ok());
  EXPECT_EQ((*named->answer)->variants.size(), 2u);
  EXPECT_EQ((*Unpin("onnx")->answer)->variants.size(), 3u) << "all that are pinned";
  EXPECT_TRUE(catalog_.pins.empty());
  EXPECT_TRUE((*Unpin("onnx")->answer)->variants.empty());
}

TEST_F(ManagerControl, APrefetchIsAHitForTheNextOpen) {
  Begin();
  std::vector<uint64_t> told;
  const Answer fetched =
      Prefetch({.reference = "a"}, [&](std::string_view stage, uint64_t done, uint64_t total) {
        EXPECT_EQ(stage, "host");
        EXPECT_EQ(total, 3 * test::kPage);
        told.push_back(done);
      });
  tier_->fills.front().request.control->Advance(test::kPage);
  timers_.Advance(std::chrono::milliseconds(200));
  tier_->Finish();
  ASSERT_TRUE(fetched->status().ok());
  EXPECT_EQ(told, (std::vector<uint64_t>{0, test::kPage}));
  EXPECT_EQ(timers_.pending(), 0u);
  const auto opened = Open("a");
  EXPECT_TRUE(opened->at_once);
  EXPECT_EQ(Count().opens, 1u) << "a prefetch is no client's open";
  EXPECT_EQ(Count().hits, 1u);
}

TEST_F(ManagerControl, WithoutWaitingAPrefetchSaysWhatIsKnownAtOnce) {
  Begin();
  const Answer begun = Prefetch({.reference = "a", .wait = false});
  ASSERT_TRUE(begun->status().ok());
  EXPECT_EQ((*begun->answer)->variants.at(0).state, SegmentState::kLoading);
  tier_->Finish();
  EXPECT_EQ(StateOf("a"), "resident");
  Know("large", 'd', 9);
  EXPECT_EQ(Prefetch({.reference = "large", .wait = false})->status().code(),
            StatusCode::kTooLarge);
}

TEST_F(ManagerControl, WhoeverWasAnsweredIsToldNoProgress) {
  Begin();
  int told = 0;
  const Answer begun = Prefetch({.reference = "a", .wait = false},
                                [&](std::string_view, uint64_t, uint64_t) { ++told; });
  timers_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(told, 0);
  tier_->Finish();
}

TEST_F(ManagerControl, APinThatCannotBeLoadedIsTriedAgain) {
  Begin();
  PinWhole("a");
  Restart();
  tier_->Fail(StatusCode::kInternal);
  EXPECT_TRUE(tier_->fills.empty());
  timers_.Advance(std::chrono::seconds(2));
  ASSERT_EQ(tier_->fills.size(), 1u);
  tier_->Finish();
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(ManagerControl, WhatIsPinnedInATierThatIsNotThereCanBeUnpinned) {
  Begin();
  catalog_.pins.insert({"default/a", "v1", Variant::kFiles, "device:0"});
  EXPECT_EQ(Unpin("b", "device:0")->status().code(), StatusCode::kNotFound) << "none is of that";
  EXPECT_EQ(Unpin("a", "device:0", {Variant::kOrt})->status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Unpin("z", "device:0")->status().code(), StatusCode::kNotFound);
  EXPECT_EQ(catalog_.pins.size(), 1u);
  const Answer unpinned = Unpin("a", "device:0");
  ASSERT_TRUE(unpinned->status().ok()) << unpinned->status().ToString();
  EXPECT_EQ((*unpinned->answer)->tier, "device:0");
  EXPECT_TRUE(catalog_.pins.empty());
}

TEST_F(ManagerControl, AManagerThatEndsBeforeAPinIsTriedAgainLeavesNoTimer) {
  Begin();
  PinWhole("a");
  Restart();
  tier_->Fail(StatusCode::kInternal);
  ASSERT_EQ(timers_.pending(), 1u);
  manager_.reset();
  EXPECT_EQ(timers_.pending(), 0u);
}

TEST_F(ManagerControl, APrefetchThatWouldGoAtOnceIsRefused) {
  Begin(Reclaim::kEager);
  const Status refused = Prefetch({.reference = "a"})->status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.hint(), HasSubstr("trims pin default/a:v1"));
}

TEST_F(ManagerControl, AnIdleModelIsEvictedNow) {
  Begin();
  OpenResident("a");
  const Result<ControlledModel> evicted = manager_->Evict({}, {.reference = "a"});
  ASSERT_TRUE(evicted.ok()) << evicted.status().ToString();
  EXPECT_EQ(evicted->variants.at(0).state, SegmentState::kDraining);
  EXPECT_EQ(Count().evictions, 1u);
  tier_->FinishRelease();
  EXPECT_EQ(Used(), 0u);
  EXPECT_TRUE(manager_->Evict({}, {.reference = "a"})->variants.empty())
      << "nothing of it is there";
}

TEST_F(ManagerControl, WhatIsLeasedSaysWhoHoldsItAndGoesWhenItIsTold) {
  Begin();
  auto held = OpenResident("a");
  const FindHolders holders = [](std::string_view tier, std::string_view) {
    EXPECT_EQ(tier, "host");
    return std::vector<LeaseHolder>{{.client = "resize-fn", .uid = 7, .pid = 42, .leases = 1}};
  };
  const Status refused = manager_->Evict({}, {.reference = "a", .holders = holders}).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("leases: 1, held by resize-fn (pid 42, uid 7)"));
  EXPECT_EQ(refused.hint(), "trims evict default/a:v1 --when-idle");
  const Result<ControlledModel> later =
      manager_->Evict({}, {.reference = "a", .when_idle = true, .holders = holders});
  ASSERT_TRUE(later.ok());
  EXPECT_TRUE(later->variants.at(0).leaving);
  EXPECT_EQ(StateOf("a"), "resident");
  auto another = Open("a");
  held.reset();
  EXPECT_EQ(StateOf("a"), "resident");
  another.reset();
  EXPECT_EQ(StateOf("a"), "draining");
  tier_->FinishRelease();
  OpenResident("a");
  EXPECT_EQ(StateOf("a"), "resident") << "that was for the residence before";
}

TEST_F(ManagerControl, WhatLoadsGoesWhenItIsTold) {
  Begin();
  auto waiting = Open("a");
  EXPECT_EQ(manager_->Evict({}, {.reference = "a"}).status().code(),
            StatusCode::kFailedPrecondition);
  ASSERT_TRUE(manager_->Evict({}, {.reference = "a", .when_idle = true}).ok());
  tier_->Finish();
  ASSERT_TRUE(waiting->lease);
  waiting.reset();
  EXPECT_EQ(StateOf("a"), "draining");
}

TEST_F(ManagerControl, WhatIsPinnedIsNotEvictedAndAPinTakesAnEvictionBack) {
  Begin();
  PinWhole("a");
  for (const bool when_idle : {false, true}) {
    const Status refused = manager_->Evict({}, {.reference = "a", .when_idle = when_idle}).status();
    EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
    EXPECT_EQ(refused.hint(), "trims unpin default/a:v1");
  }
  auto held = OpenResident("b");
  ASSERT_TRUE(manager_->Evict({}, {.reference = "b", .when_idle = true}).ok());
  PinWhole("b");
  held.reset();
  EXPECT_EQ(StateOf("b"), "resident");
}

TEST_F(ManagerControl, ADrainEndsWithTheLastLeaseAndWait) {
  Begin();
  auto held = OpenResident("a");
  auto waiting = Open("b");
  const Result<DrainSnapshot> begun = manager_->Drain({}, true, {});
  ASSERT_TRUE(begun.ok());
  EXPECT_EQ(begun->leases, 1u);
  EXPECT_EQ(begun->waiters, 1u);
  Told<DrainSnapshot> quiet;
  manager_->AwaitQuiet([&](Result<DrainSnapshot> told) { quiet.answer = std::move(told); });
  const Status refused = Open("a")->status;
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_THAT(refused.hint(), HasSubstr("trims drain --off"));
  EXPECT_TRUE(manager_->Snapshot().draining);
  held.reset();
  timers_.Advance({});
  EXPECT_FALSE(quiet.answer) << "somebody waits";
  waiting.reset();
  EXPECT_FALSE(quiet.answer) << "inside the call that ended it";
  timers_.Advance({});
  ASSERT_TRUE(quiet.answer);
  EXPECT_EQ((*quiet.answer)->leases, 0u);
}

TEST_F(ManagerControl, WhoIsServedAlthoughItDrainsIsWaitedForToo) {
  Begin();
  auto waiting = Open("a");
  ASSERT_TRUE(manager_->Drain({}, true, {}).ok());
  Told<DrainSnapshot> quiet;
  manager_->AwaitQuiet([&](Result<DrainSnapshot> told) { quiet.answer = std::move(told); });
  tier_->Finish();
  timers_.Advance({});
  ASSERT_TRUE(waiting->lease) << "it was asked for before";
  EXPECT_FALSE(quiet.answer);
  waiting.reset();
  timers_.Advance({});
  EXPECT_TRUE(quiet.status().ok());
}

TEST_F(ManagerControl, ADrainCanBeEnded) {
  Begin();
  auto held = OpenResident("a");
  ASSERT_TRUE(manager_->Drain({}, true, {}).ok());
  Told<DrainSnapshot> quiet;
  manager_->AwaitQuiet([&](Result<DrainSnapshot> told) { quiet.answer = std::move(told); });
  EXPECT_FALSE(manager_->Drain({}, false, {})->draining);
  EXPECT_EQ(quiet.status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(Open("a")->lease);
}

TEST_F(ManagerControl, WhatIsPreloadedIsThereOrTheLogSaysWhyNot) {
  Begin();
  manager_->Preload("a");
  manager_->Preload("nothing-like-it");
  tier_->Finish();
  EXPECT_EQ(StateOf("a"), "resident");
}

TEST_F(ManagerControl, OnlyOperatorsMayAndMistakesSaySo) {
  Begin();
  const uid_t stranger = ::geteuid() + 1;
  EXPECT_EQ(Pin({.reference = "a"}, stranger)->status().code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(manager_->Evict({.uid = stranger}, {.reference = "a"}).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(manager_->Drain({.uid = stranger}, true, {}).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_EQ(Pin({.reference = "z"})->status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Pin({.reference = "a", .tier = "moon"})->status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Pin({.reference = "a", .variants = {Variant::kOrt}})->status().code(),
            StatusCode::kNotFound);
}

TEST_F(ManagerControl, TheManagersEndTellsNobodyAndLeavesNothing) {
  Begin();
  const Answer pinned = Pin({.reference = "a"});
  const Answer fetched = Prefetch({.reference = "b"}, [](std::string_view, uint64_t, uint64_t) {});
  manager_.reset();
  EXPECT_FALSE(pinned->answer);
  EXPECT_FALSE(fetched->answer);
  EXPECT_EQ(timers_.pending(), 0u);
}

// What the catalog still keeps of it ends after the tiers.
TEST_F(ManagerControl, ThePinThatIsBeingWrittenWhenTheManagerEndsHoldsNothing) {
  Begin();
  OpenResident("a");
  catalog_.hold_pins = true;
  const Answer pinned = Pin({.reference = "a"});
  EXPECT_EQ(manager_->Snapshot().leases, 1u);
  manager_.reset();
  ASSERT_EQ(catalog_.held_pins.size(), 1u);
  catalog_.held_pins.front()({});
  catalog_.held_pins.clear();
  EXPECT_FALSE(pinned->answer);
}

TEST_F(ManagerControl, AnAliasThatMovesLeavesReadersOfTheOldVersionAlone) {
  Begin();
  const auto move = [this](const std::string& to) {
    manager_->SetAlias({}, "prod", to, [](const Result<Alias>& moved) {
      EXPECT_TRUE(moved.ok()) << moved.status().ToString();
    });
  };
  move("a");
  auto old = OpenResident("prod");
  EXPECT_EQ(old->lease->image().reference, "default/a:v1");
  move("b");
  EXPECT_EQ(OpenResident("prod")->lease->image().reference, "default/b:v1");
  EXPECT_EQ(StateOf("a"), "resident");
  EXPECT_EQ(manager_->Model("prod")->model.aliases, std::vector<std::string>{"default/prod"});
  manager_->Rollback({}, "prod", [](const Result<Alias>& back) { EXPECT_TRUE(back.ok()); });
  EXPECT_EQ(Open("prod")->lease->image().reference, "default/a:v1");
  EXPECT_EQ(manager_->Aliases().size(), 1u);
}

}  // namespace
}  // namespace trims
