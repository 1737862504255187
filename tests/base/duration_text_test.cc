// What a person writes for a while.
#include "base/duration_text.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

using std::chrono::milliseconds;

TEST(DurationTest, UnitsAreReadAndNonsenseIsNot) {
  EXPECT_EQ(*ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(*ParseDuration("90s"), std::chrono::seconds(90));
  EXPECT_EQ(*ParseDuration("5m"), std::chrono::minutes(5));
  EXPECT_EQ(*ParseDuration("10min"), std::chrono::minutes(10));
  EXPECT_EQ(*ParseDuration("1h"), std::chrono::hours(1));
  EXPECT_EQ(*ParseDuration("30d"), std::chrono::hours(30 * 24));
  EXPECT_EQ(*ParseDuration("off"), milliseconds(0));
  for (const char* wrong :
       {"", "5", "s", "-5s", "5 s", "5w", "367d", "99999999999999999999s", "9999999h"}) {
    EXPECT_EQ(ParseDuration(wrong).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
}

TEST(DurationTextTest, WhatIsWrittenIsRead) {
  for (const char* text : {"250ms", "90s", "10m", "36h", "2d", "0s"}) {
    EXPECT_EQ(DurationText(ParseDuration(text).value()), text);
  }
  EXPECT_EQ(DurationText(std::chrono::hours(48)), "2d");
  EXPECT_EQ(DurationText(std::chrono::milliseconds(1500)), "1500ms");
}

}  // namespace
}  // namespace trims
