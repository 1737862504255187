#include "load/fill_feed.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/cancel_token.h"

namespace trims {
namespace {

FedBytes OfExtents(size_t count) {
  FedBytes bytes;
  bytes.extents.resize(count);
  return bytes;
}

class FillFeedTest : public ::testing::Test {
 protected:
  FillFeed feed_;
  CancelToken stop_;
};

TEST_F(FillFeedTest, WhatIsThereIsSeenAtOnce) {
  feed_.Begin(OfExtents(2));
  feed_.Ready(1, 100);
  const FillFeed::Seen seen = feed_.Next(1, 1, 40, stop_);
  EXPECT_EQ(seen.attempt, 1u);
  EXPECT_EQ(seen.ready, 100u);
  EXPECT_EQ(seen.bytes->extents.size(), 2u);
  EXPECT_FALSE(seen.verdict);
  EXPECT_EQ(feed_.Next(0, 0, UINT64_MAX, stop_).attempt, 1u)
      << "any attempt is new to the first look";
}

TEST_F(FillFeedTest, WhoeverWaitsIsToldOfEachStep) {
  feed_.Begin(OfExtents(1));
  std::thread filling([this] {
    feed_.Ready(0, 10);
    feed_.Ready(0, 20);
    feed_.End(Status());
  });
  uint64_t copied = 0;
  while (copied < 20) {
    const FillFeed::Seen seen = feed_.Next(1, 0, copied, stop_);
    EXPECT_GT(seen.ready, copied);
    copied = seen.ready;
  }
  EXPECT_EQ(feed_.Verdict(1, stop_).verdict, Status());
  filling.join();
}

TEST_F(FillFeedTest, ASecondAttemptBeginsAnew) {
  feed_.Begin(OfExtents(1));
  feed_.Ready(0, 10);
  feed_.Begin(OfExtents(1));
  const FillFeed::Seen seen = feed_.Next(1, 0, 10, stop_);
  EXPECT_EQ(seen.attempt, 2u);
  EXPECT_EQ(seen.ready, 0u);
  EXPECT_EQ(feed_.Verdict(1, stop_).attempt, 2u) << "the first one has no end of its own";
}

TEST_F(FillFeedTest, AFillThatFailedBeforeItBeganHasEnded) {
  feed_.End(Status(StatusCode::kNotFound, "gone"));
  const FillFeed::Seen seen = feed_.Next(0, 0, UINT64_MAX, stop_);
  EXPECT_EQ(seen.attempt, 0u);
  EXPECT_EQ(seen.bytes, nullptr);
  EXPECT_EQ(seen.verdict.value().code(), StatusCode::kNotFound);
}

TEST_F(FillFeedTest, WhoeverIsCancelledIsWokenAndNobodyElse) {
  feed_.Begin(OfExtents(1));
  const CancelToken::Watch watch(&stop_, [this] { feed_.Wake(); });
  std::thread cancels([this] { stop_.Cancel(); });
  EXPECT_EQ(feed_.Next(1, 0, 0, stop_).ready, 0u);
  EXPECT_FALSE(feed_.Verdict(1, stop_).verdict);
  cancels.join();
  const CancelToken other;
  std::thread fills([this] { feed_.Ready(0, 5); });
  EXPECT_EQ(feed_.Next(1, 0, 0, other).ready, 5u);
  fills.join();
}

}  // namespace
}  // namespace trims
