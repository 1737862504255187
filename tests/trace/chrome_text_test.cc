#include "trace/chrome_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trims {
namespace {

using Json = nlohmann::json;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(ChromeTextTest, ASpanHasTheFormatsFields) {
  const Json span = Json::parse(
      ChromeSpanText({.name = "open",
                      .category = "trims.client",
                      .begin = microseconds(1500) + nanoseconds(7),
                      .took = nanoseconds(250),
                      .pid = 17,
                      .tid = 18,
                      .args = {{"model", JsonString("ocr")}, {"hit", "true"}, {"bytes", "3"}}}));
  EXPECT_EQ(
      span,
      Json::parse(R"({"name": "open", "cat": "trims.client", "ph": "X", "ts": 1500.007, "dur": 0.25,
                                  "pid": 17, "tid": 18, "args": {"model": "ocr", "hit": true, "bytes": 3}})"));
}

TEST(ChromeTextTest, AnyBytesAreAString) {
  EXPECT_EQ(Json::parse(JsonString("a\"b\\c\n\x01\x7f")), "a\"b\\c\n\x01\x7f");
  EXPECT_EQ(Json::parse(JsonString("Öl")), "Öl");
  EXPECT_EQ(Json::parse(JsonString("a\xff\xc3")), "a??");
}

TEST(ChromeTextTest, TheWriterSaysBothClocks) {
  const Json writer = Json::parse(ChromeWriterText({.pid = 17,
                                                    .program = "ocr",
                                                    .monotonic = microseconds(5),
                                                    .unix_us = 1'795'428'000'000'000}));
  EXPECT_EQ(writer["ph"], "M");
  EXPECT_EQ(writer["args"]["clock"], "CLOCK_MONOTONIC");
  EXPECT_EQ(writer["args"]["monotonic_us"], 5.0);
  EXPECT_EQ(writer["args"]["unix_us"], 1'795'428'000'000'000);
}

}  // namespace
}  // namespace trims
