#include "catalog/model_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace trims {
namespace {

using ::testing::HasSubstr;

TEST(ModelReference, TakesTheForms) {
  const std::string digest(64, 'a');
  EXPECT_EQ(ParseModelReference("ocr")->ToString(), "default/ocr");
  EXPECT_EQ(ParseModelReference("team/ocr:v1.2")->ToString(), "team/ocr:v1.2");
  EXPECT_EQ(ParseModelReference("ocr:latest")->version, "");
  EXPECT_EQ(ParseModelReference("ocr@sha256:" + digest)->digest, digest);
  EXPECT_TRUE(ParseModelReference(std::string(128, 'n')).ok());
}

TEST(ModelReference, RefusesEverythingElse) {
  const std::string digest(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a:"),
        std::string("a/b/c"), std::string("a:b:c"), std::string("-a"), std::string("a b"),
        std::string("a\0b", 3), std::string("../a"), std::string("a@sha256:12"), "a@" + digest,
        "a:v@sha256:" + digest, "a@sha256:" + std::string(64, 'A'), std::string(129, 'n'),
        std::string("\xff")}) {
    EXPECT_EQ(ParseModelReference(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(ModelReference, SaysWhere) {
  EXPECT_THAT(ParseModelReference("team/oc r").status().message(), HasSubstr("character 8"));
  EXPECT_THAT(ParseModelReference("\u00fcber").status().message(), HasSubstr("'\u00fcber'"));
  EXPECT_THAT(ParseModelReference("a\xff\x1b").status().message(), HasSubstr("'a?"));
}

}  // namespace
}  // namespace trims
