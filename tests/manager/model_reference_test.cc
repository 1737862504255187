#include "manager/model_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "manager/segment_state.h"

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
}

TEST(SegmentState, LegalStepsAreThoseOfTheDiagram) {
  using S = SegmentState;
  const std::pair<S, S> legal[] = {
      {S::kAbsent, S::kReserved},   {S::kReserved, S::kLoading}, {S::kLoading, S::kResident},
      {S::kResident, S::kDraining}, {S::kDraining, S::kAbsent},  {S::kReserved, S::kFailed},
      {S::kLoading, S::kFailed},    {S::kFailed, S::kReserved},  {S::kFailed, S::kAbsent}};
  const S all[] = {S::kAbsent, S::kReserved, S::kLoading, S::kResident, S::kDraining, S::kFailed};
  int count = 0;
  for (const S from : all) {
    for (const S to : all) count += IsLegalTransition(from, to);
  }
  EXPECT_EQ(count, 9);
  for (const auto& [from, to] : legal) {
    EXPECT_TRUE(IsLegalTransition(from, to)) << SegmentStateName(from) << SegmentStateName(to);
  }
}

}  // namespace
}  // namespace trims
