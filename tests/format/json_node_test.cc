#include "format/json_node.h"

#include <gtest/gtest.h>

#include <string>

namespace trims {
namespace {

TEST(ParseJson, LevelsAreCounted) {
  EXPECT_TRUE(ParseJson(R"([[{"a":[]},[]]])", {.max_depth = 4}).ok());
  EXPECT_EQ(ParseJson(R"([[{"a":[[]]}]])", {.max_depth = 4}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(ParseJson(R"(["[[[[", "\\\"[[[[", "\\\\"])", {.max_depth = 1}).ok());
}

TEST(ParseJson, WhatIsNoneIsRefused) {
  for (const char* text : {"", "{", "[1,]", "]", "\"", "{\"a\":1}}", "\"\\"}) {
    EXPECT_EQ(ParseJson(text, {}).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(ParseJson("[1,2]", {.max_bytes = 4}).status().code(), StatusCode::kTooLarge);
}

// Once, each value in an object cost a look at all of them.
TEST(ParseJson, ALargeObjectIsReadInOneGo) {
  std::string text = "{";
  for (int i = 0; i < 200'000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":{}";
  const Result<nlohmann::json> document = ParseJson(text + "}", {});
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(document->size(), 200'000U);
}

TEST(JsonNode, AMemberMayLackWhereItIsOptional) {
  const nlohmann::json document = {{"a", {{"b", nullptr}}}};
  const Result<JsonNode> a = JsonNode(document).Member("a");
  ASSERT_TRUE(a.ok()) << a.status().ToString();
  const Result<std::optional<JsonNode>> none = a->OptionalMember("c");
  ASSERT_TRUE(none.ok()) << none.status().ToString();
  EXPECT_FALSE(none->has_value());
  EXPECT_EQ(a->Member("c").status().message(),
            "a: expected a member 'c', came an object without it");
  const Result<std::optional<JsonNode>> b = a->OptionalMember("b");
  ASSERT_TRUE(b.ok() && b->has_value());
  EXPECT_EQ((*b)->Integer(0, 1).status().message(),
            "a.b: expected an integer from 0 to 1, came a value of type null");
  EXPECT_EQ((*b)->OptionalMember("d").status().message(),
            "a.b: expected an object, came a value of type null");
}

}  // namespace
}  // namespace trims
