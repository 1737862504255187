// The pure rules: ranges, pauses, header lines, what an error may show.
#include <gtest/gtest.h>

#include "transfer/back_off.h"
#include "transfer/content_range.h"
#include "transfer/header_line.h"
#include "transfer/http_error.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ContentRangeTest, IsTakenApart) {
  EXPECT_EQ(ParseContentRange("bytes 0-499/1234"), (ContentRange{0, 500, 1234}));
  EXPECT_EQ(ParseContentRange("bytes 5-5/*"), (ContentRange{5, 1, std::nullopt}));
}

TEST(ContentRangeTest, AnythingElseIsNone) {
  for (const char* text :
       {"", "bytes", "bytes ", "bytes 0-/3", "bytes -5/3", "bytes 5-4/9", "bytes 0-9/9",
        "bytes 0-9/", "bytes */9", "bytes 0-9/99x", "items 0-9/99",
        "bytes 0-18446744073709551615/*", "bytes 99999999999999999999-1/*"}) {
    EXPECT_FALSE(ParseContentRange(text)) << text;
  }
}

TEST(BackOffTest, PausesGrowToTheLongestWithJitter) {
  const HttpPatience patience{.first_pause = milliseconds(100), .longest_pause = milliseconds(500)};
  EXPECT_EQ(PauseBefore(1, patience, {}, 0.9), Duration::zero());
  EXPECT_EQ(PauseBefore(2, patience, {}, 0.5), milliseconds(50));
  EXPECT_EQ(PauseBefore(3, patience, {}, 0.5), milliseconds(100));
  EXPECT_EQ(PauseBefore(5, patience, {}, 0.5), milliseconds(250));
  EXPECT_EQ(PauseBefore(500, patience, {}, 0.5), milliseconds(250));
  EXPECT_EQ(PauseBefore(5, patience, {}, 0), Duration::zero());
}

TEST(BackOffTest, TheServersWordCountsUpToALimit) {
  const HttpPatience patience{};
  EXPECT_EQ(PauseBefore(2, patience, seconds(7), 0), seconds(7));
  EXPECT_EQ(PauseBefore(2, patience, seconds(100'000), 0), kLongestRetryAfter);
  EXPECT_EQ(ParseRetryAfter("12"), seconds(12));
  for (const char* text : {"", "-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999"}) {
    EXPECT_FALSE(ParseRetryAfter(text)) << text;
  }
}

TEST(HeaderLineTest, IsTakenApart) {
  EXPECT_EQ(ParseHeaderLine("ETag:  \"x\" \r\n").name, "etag");
  EXPECT_EQ(ParseHeaderLine("ETag:  \"x\" \r\n").value, "\"x\"");
  EXPECT_EQ(ParseHeaderLine("A:\r\n").value, "");
  EXPECT_EQ(ParseHeaderLine("HTTP/1.1 200 OK\r\n").name, "");
}

TEST(HttpErrorTest, AUrlIsShownWithoutItsSecrets) {
  EXPECT_EQ(UrlWithoutSecrets("https://u:p@h:1/a/b?X-Amz-Signature=s#f"), "https://h:1/a/b");
  EXPECT_EQ(UrlWithoutSecrets("https://h/a@b"), "https://h/a@b");
  EXPECT_EQ(UrlWithoutSecrets("nonsense"), "nonsense");
}

TEST(HttpErrorTest, TheServersWordsAreShortAndPrintable) {
  EXPECT_EQ(ServersWords(""), "");
  EXPECT_EQ(ServersWords("no\x1b[31m\tway\nmore"), "'no[31mway'");
  EXPECT_EQ(ServersWords(std::string(1000, 'x')).size(), 202u);
}

}  // namespace
}  // namespace trims
