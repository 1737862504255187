// One makes pieces, the other takes them: who waits for whom, and how it ends.
#include "admin/piece_stream.h"

#include <gtest/gtest.h>

#include <future>
#include <string>

namespace trims::admin {
namespace {

class PieceStreamTest : public ::testing::Test {
 protected:
  std::string Take(size_t most = 100) {
    std::string text(most, ' ');
    text.resize(stream_.Take(text.data(), most));
    return text;
  }

  int suspended_ = 0;
  int resumed_ = 0;
  PieceStream stream_{"first", [this] { ++suspended_; }, [this] { ++resumed_; }};
};

TEST_F(PieceStreamTest, WhoTakesIsSuspendedWhereThereIsNothingAndResumedOnce) {
  EXPECT_EQ(Take(3), "fir");
  EXPECT_EQ(Take(), "st");
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(suspended_, 1);
  EXPECT_TRUE(stream_.Push(""));
  EXPECT_EQ(resumed_, 0) << "for nothing nobody is woken";
  EXPECT_TRUE(stream_.Push("second"));
  EXPECT_EQ(resumed_, 1);
  EXPECT_EQ(Take(), "second");
  stream_.End();
  EXPECT_EQ(resumed_, 1);
  EXPECT_TRUE(stream_.ended());
  EXPECT_EQ(Take(), "");
  EXPECT_EQ(suspended_, 1) << "nothing follows the end";
}

TEST_F(PieceStreamTest, WhatWasPushedIsTakenBeforeTheEnd) {
  stream_.End();
  EXPECT_FALSE(stream_.ended());
  EXPECT_EQ(Take(), "first");
  EXPECT_TRUE(stream_.ended());
  EXPECT_FALSE(stream_.Push("more"));
}

TEST_F(PieceStreamTest, TheMakerWaitsForWhoIsSlow) {
  std::future<bool> pushed = std::async(std::launch::async, [&] { return stream_.Push("second"); });
  EXPECT_EQ(Take(), "first");
  EXPECT_TRUE(pushed.get());
  EXPECT_EQ(Take(), "second");
}

TEST_F(PieceStreamTest, WhoLeavesLetsTheMakerGoAndIsNotResumed) {
  std::future<bool> pushed = std::async(std::launch::async, [&] { return stream_.Push("second"); });
  stream_.Abandon();
  EXPECT_FALSE(pushed.get());
  stream_.End();
  EXPECT_EQ(resumed_, 0);
}

}  // namespace
}  // namespace trims::admin
