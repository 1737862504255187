#include "tools/trims/document.h"

#include <gtest/gtest.h>

namespace trims::cli {
namespace {

TEST(DocumentTest, RefusesWhatIsNoObject) {
  EXPECT_EQ(ParseDocument("[1]").status().code(), StatusCode::kInternal);
  EXPECT_EQ(ParseDocument("{").status().code(), StatusCode::kInternal);
  EXPECT_EQ(ParseDocument("").status().code(), StatusCode::kInternal);
  EXPECT_TRUE(ParseDocument("{}").ok());
}

TEST(DocumentTest, ReadsFieldsOfTheRightType) {
  const Json json = {
      {"text", "a\x1b"}, {"number", 7}, {"flag", true}, {"list", {1}}, {"object", {{"a", 1}}}};
  EXPECT_EQ(Text(json, "text"), "a\\x1b");
  EXPECT_EQ(Number(json, "number"), 7u);
  EXPECT_TRUE(Flag(json, "flag"));
  EXPECT_EQ(List(json, "list").size(), 1u);
  EXPECT_EQ(Object(json, "object").size(), 1u);
}

TEST(DocumentTest, StandsMissingAndWrongFields) {
  const Json json = {{"a", -1}, {"b", 1.5}, {"c", nullptr}};
  for (const char* field : {"a", "b", "c", "d"}) {
    EXPECT_EQ(Text(json, field), "");
    EXPECT_EQ(Number(json, field), 0u);
    EXPECT_FALSE(Flag(json, field));
    EXPECT_TRUE(List(json, field).empty());
    EXPECT_TRUE(Object(json, field).empty());
    EXPECT_EQ(UnixTime(json, field), 0);
  }
  EXPECT_EQ(Text(Json(5), "a"), "");
}

TEST(DocumentTest, ReadsTimes) {
  EXPECT_EQ(UnixTime({{"t", "1970-01-02T00:00:01Z"}}, "t"), 86401);
  EXPECT_EQ(UnixTime({{"t", "2026-11-23T10:00:00Z"}}, "t"), 1795428000);
  EXPECT_EQ(UnixTime({{"t", "2026-13-23T10:00:00Z"}}, "t"), 0);
  EXPECT_EQ(UnixTime({{"t", "yesterday"}}, "t"), 0);
}

TEST(DocumentTest, ShortensTheDefaultNamespaceOnly) {
  EXPECT_EQ(ShortReference("default/ocr:1"), "ocr:1");
  EXPECT_EQ(ShortReference("team/ocr:1"), "team/ocr:1");
}

}  // namespace
}  // namespace trims::cli
