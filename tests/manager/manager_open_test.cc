// Opens: misses, hits, waits, failures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>

#include "manager/manager_fixture.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::kPage;
using test::Outcome;
using ::testing::HasSubstr;

class ManagerOpen : public test::ManagerFixture {};

TEST_F(ManagerOpen, MissLoadsOnceAndServesAllWhoWait) {
  Know("a", 'a', 4);
  Start(10);
  auto first = Open("a");
  clock_.Advance(milliseconds(5));
  auto second = Open("a:v1");
  EXPECT_FALSE(second->at_once);
  EXPECT_EQ(tier_->started, 1);
  EXPECT_FALSE(first->called);
  clock_.Advance(milliseconds(2));
  tier_->Finish();
  ASSERT_TRUE(first->lease && second->lease);
  EXPECT_FALSE(first->lease->opened().hit);
  EXPECT_EQ(first->lease->opened().waited, milliseconds(7));
  EXPECT_EQ(second->lease->opened().waited, milliseconds(2));
  EXPECT_EQ(second->lease->image().reference, "default/a:v1");
  EXPECT_EQ(timers_.pending(), 0u);
  auto third = Open("a");
  EXPECT_TRUE(third->at_once);
  EXPECT_TRUE(third->lease->opened().hit);
  EXPECT_EQ(Count().misses, 1u);
  EXPECT_EQ(Count().joined, 1u);
  EXPECT_EQ(Count().hits, 1u);
  EXPECT_EQ(Count().opens, 3u);
}

TEST_F(ManagerOpen, EqualContentUnderTwoNamesIsOneSegment) {
  Know("a", 'a', 4);
  Know("b", 'a', 4);
  Start(4);
  auto a = OpenResident("a");
  auto b = OpenResident("b");
  EXPECT_EQ(tier_->started, 1);
  EXPECT_TRUE(b->lease->opened().hit);
  EXPECT_EQ(b->lease->image().reference, "default/b:v1");
}

TEST_F(ManagerOpen, ANamesBrokenFilesKeepNoOtherNameOfEqualContentOut) {
  Know("a", 'a', 4);
  Know("b", 'a', 4);
  Start(10);
  for (int i = 0; i < 2; ++i) {
    Open("a");
    tier_->Fail(StatusCode::kNotFound);
  }
  EXPECT_EQ(Open("a")->status.code(), StatusCode::kNotFound) << "it is backed off from";
  const auto b = Open("b");
  ASSERT_FALSE(b->called) << b->status.ToString();
  EXPECT_EQ(tier_->fills.front().request.image->reference, "default/b:v1");
  tier_->Finish();
  EXPECT_TRUE(b->lease);
}

TEST_F(ManagerOpen, TwoBrokenNamesOfEqualContentAreBothBackedOffFrom) {
  Know("a", 'a', 4);
  Know("b", 'a', 4);
  Start(10);
  for (const char* name : {"a", "b"}) {
    Open(name);
    tier_->Fail(StatusCode::kNotFound);
  }
  EXPECT_TRUE(Open("a")->called);
  EXPECT_TRUE(Open("b")->called);
  EXPECT_TRUE(tier_->fills.empty());
}

TEST_F(ManagerOpen, WhoJoinedALoadFromAnotherNamesFilesIsLoadedFromItsOwn) {
  Know("a", 'a', 4);
  Know("b", 'a', 4);
  Start(10);
  const auto a = Open("a");
  const auto b = Open("b");
  const auto b_too = Open("b");
  tier_->Fail(StatusCode::kDataLoss);
  EXPECT_EQ(a->status.code(), StatusCode::kDataLoss);
  EXPECT_FALSE(b->called);
  ASSERT_EQ(tier_->fills.size(), 1u);
  EXPECT_EQ(tier_->fills.front().request.image->reference, "default/b:v1");
  tier_->Fail(StatusCode::kNotFound);
  EXPECT_EQ(b->status.code(), StatusCode::kNotFound);
  EXPECT_EQ(b_too->status.code(), StatusCode::kNotFound);
  EXPECT_EQ(Used(), 0u);
  EXPECT_EQ(Count().load_failures, 2u);
}

TEST_F(ManagerOpen, AddedAgainItIsTriedAtOnce) {
  Know("a", 'a', 4);
  Start(10);
  for (int i = 0; i < 2; ++i) {
    Open("a");
    tier_->Fail(StatusCode::kNotFound);
  }
  EXPECT_TRUE(Open("a")->called);
  Know("a", 'a', 4);
  EXPECT_FALSE(Open("a")->called);
}

TEST_F(ManagerOpen, NamesThePreparedVariantsAndBothKeys) {
  Know("a", 'a', 4);
  CatalogEntry& entry = catalog_.entries.front();
  entry.manifest.variants.push_back(test::MakeVariant(Variant::kOrt, 1, "ort-1"));
  entry.images = MakeImages(entry.manifest, entry.name, entry.version);
  Start(10);
  const auto open = [&](Variant variant, const char* key) {
    return Open({.reference = "a",
                 .variant = variant,
                 .variant_key = key,
                 .tier = {},
                 .deadline = {}})
        ->status;
  };
  Status status = open(Variant::kTensors, "");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("files, ort (ort-1)"));
  EXPECT_THAT(status.hint(), HasSubstr("its format is 'files'"));
  status = open(Variant::kOrt, "ort-2");
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("'ort-1'"));
  EXPECT_THAT(status.message(), HasSubstr("'ort-2'"));
}

TEST_F(ManagerOpen, ATierThatIsNotThereIsRefusedAndTheOthersAreNamed) {
  Know("a", 'a', 4);
  Start(10);
  const auto open = Open({.reference = "a", .variant_key = {}, .tier = "device:0", .deadline = {}});
  EXPECT_EQ(open->status.code(), StatusCode::kNotFound);
  EXPECT_THAT(open->status.message(), HasSubstr("'device:0'"));
  EXPECT_THAT(open->status.message(), HasSubstr("host"));
  EXPECT_EQ(Count().refused, 1u);
}

TEST_F(ManagerOpen, DeadlineEndsTheWaitAndNotTheLoad) {
  Know("a", 'a', 4);
  Start(8);
  auto hasty = Open("a", milliseconds(10));
  auto patient = Open("a", milliseconds(100));
  timers_.Advance(milliseconds(10));
  EXPECT_EQ(hasty->status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_THAT(hasty->status.message(), HasSubstr("10 ms"));
  EXPECT_FALSE(patient->called);
  timers_.Advance(milliseconds(90));
  EXPECT_EQ(patient->status.code(), StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(tier_->fills.front().request.control->cancelled());
  tier_->Finish();
  EXPECT_TRUE(Open("a")->lease->opened().hit);
  EXPECT_EQ(Count().deadline_exceeded, 2u);
}

TEST_F(ManagerOpen, CancelledWaiterIsNotCalledBack) {
  Know("a", 'a', 4);
  Start(8);
  auto gone = Open("a");
  gone->wait.reset();
  EXPECT_EQ(timers_.pending(), 0u);
  tier_->Finish();
  EXPECT_FALSE(gone->called);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, CancelledWithinAnotherCallbackItsLeaseEnds) {
  Know("a", 'a', 4);
  Start(8);
  std::shared_ptr<Outcome> second;
  const Result<OpenOutcome> wait = manager_->Open({.reference = "a", .variant_key = {}, .tier = {}},
                                                  [&](Result<Lease>) { second->wait.reset(); });
  second = Open("a");
  tier_->Finish();
  EXPECT_FALSE(second->called);
  EXPECT_TRUE(manager_->Idle());
}

TEST_F(ManagerOpen, AWaitSaysHowFarItsLoadIs) {
  Know("a", 'a', 4);
  Start(8);
  const auto first = Open("a");
  const std::optional<LoadProgress> began = first->wait->progress();
  ASSERT_TRUE(began);
  EXPECT_EQ(began->tier, "host");
  EXPECT_EQ(began->bytes_done, 0u);
  EXPECT_EQ(began->bytes_total, 3 * kPage)
      << "what is read, without the index and what it is padded to";
  EXPECT_EQ(began->bytes_per_second, 0u);
  EXPECT_FALSE(began->remaining);
  clock_.Advance(std::chrono::seconds(2));
  tier_->fills.front().request.control->Advance(kPage);
  const auto joined = Open("a");  // is told of the whole load, not from where it joined
  for (const auto& progress : {first->wait->progress(), joined->wait->progress(),
                               manager_->Snapshot().segments.at(0).load}) {
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->bytes_done, kPage);
    EXPECT_EQ(progress->bytes_per_second, kPage / 2);
    EXPECT_EQ(progress->remaining, std::chrono::seconds(4));
  }
  tier_->Finish();
  EXPECT_FALSE(first->wait->progress()) << "it has been answered";
  EXPECT_FALSE(manager_->Snapshot().segments.at(0).load);
}

TEST_F(ManagerOpen, WhatWaitsForRoomHasNothingDone) {
  Know("a", 'a', 4);
  Know("b", 'b', 4);
  Start(4);
  OpenResident("a");
  const auto waiting = Open("b");
  ASSERT_EQ(StateOf("b"), "reserved");
  clock_.Advance(std::chrono::seconds(1));
  const std::optional<LoadProgress> progress = waiting->wait->progress();
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->bytes_done, 0u);
  EXPECT_EQ(progress->bytes_total, 3 * kPage);
  EXPECT_FALSE(progress->remaining);
  tier_->FinishRelease();
  clock_.Advance(std::chrono::seconds(1));
  tier_->fills.front().request.control->Advance(kPage);
  EXPECT_EQ(waiting->wait->progress()->bytes_per_second, kPage)
      << "its wait for room doesn't count";
}

TEST_F(ManagerOpen, FailuresAreRememberedLongerEachTime) {
  Know("a", 'a', 4);
  Start(8);
  const auto fail = [&] {
    auto open = Open("a");
    tier_->Fail(StatusCode::kDataLoss);
    EXPECT_EQ(open->status.code(), StatusCode::kDataLoss);
    EXPECT_EQ(Used(), 0u);
  };
  fail();
  fail();  // the first failure is tried again at once
  for (const int wait : {100, 200, 400, 400}) {
    auto refused = Open("a");
    EXPECT_TRUE(refused->called);
    EXPECT_EQ(refused->status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(refused->status.message(), HasSubstr(std::to_string(wait) + " ms"));
    clock_.Advance(milliseconds(wait));
    fail();
  }
  clock_.Advance(milliseconds(400));
  EXPECT_EQ(OpenResident("a")->status.code(), StatusCode::kOk);
  EXPECT_EQ(manager_->Snapshot().segments.at(0).failures, 0);
}

}  // namespace
}  // namespace trims
