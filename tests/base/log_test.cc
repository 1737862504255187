#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trims {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

TEST(LogTest, ALineIsAnEventAndItsFields) {
  EXPECT_EQ(FormatLogLine("started", {}), "started");
  EXPECT_EQ(FormatLogLine("open", {{"model", "default/ocr:1"}, {"bytes", 4096}, {"hit", true}}),
            "open model=default/ocr:1 bytes=4096 hit=true");
  EXPECT_EQ(FormatLogLine("failed", {{"why", Status(StatusCode::kTooLarge, "big")}}),
            "failed why=\"TOO_LARGE: big\"");
}

TEST(LogTest, BytesOfAClientCannotForgeALineOrAField) {
  EXPECT_EQ(FormatLogLine("e", {{"k", "a\n2026-01-01T00:00:00.000Z info forged"}}),
            "e k=\"a\\x0a2026-01-01T00:00:00.000Z info forged\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", "x uid=0"}}), "e k=\"x uid=0\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", "x\" uid=\"0"}}), "e k=\"x\\\" uid=\\\"0\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", "\\\"x"}}), "e k=\"\\\\\\\"x\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", "\x1b[31m"}}), "e k=\"\\x1b[31m\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", std::string("a\0b", 3)}}), "e k=\"a\\x00b\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", "\x7f"}}), "e k=\"\\x7f\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", ""}}), "e k=\"\"");
}

// U+009B starts a terminal's control sequence as ESC [ does, U+202E turns the line around.
TEST(LogTest, BytesBeyondAsciiAreEscaped) {
  EXPECT_EQ(FormatLogLine("e", {{"k", "a\x80\xff"}}), "e k=\"a\\x80\\xff\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", "\xc2\x9b[31m"}}), "e k=\"\\xc2\\x9b[31m\"");
  EXPECT_EQ(FormatLogLine("e", {{"k", "\xe2\x80\xae"}}), "e k=\"\\xe2\\x80\\xae\"");
}

TEST(LogTest, WritesTimeLevelAndLineAboveTheLevel) {
  ::testing::internal::CaptureStderr();
  SetLogLevel(LogLevel::kInfo);
  LogDebug("hidden");
  LogInfo("shown", {{"n", 1}});
  SetLogLevel(LogLevel::kOff);
  LogError("hidden");
  SetLogLevel(LogLevel::kInfo);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              MatchesRegex("....-..-..T..:..:..\\....Z info shown n=1\n"));
}

TEST(LogTest, LevelsHaveNames) {
  EXPECT_EQ(*ParseLogLevel("warning"), LogLevel::kWarning);
  EXPECT_EQ(*ParseLogLevel("off"), LogLevel::kOff);
  EXPECT_EQ(ParseLogLevel("loud").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace trims
