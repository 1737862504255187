// Paths of requests: what they may be.
#include "admin/target.h"

#include <gtest/gtest.h>

#include <string>

namespace trims::admin {
namespace {

TEST(DecodeTarget, TakesPlainPathsAndTheirEscapes) {
  EXPECT_EQ(*DecodeTarget("/"), "/");
  EXPECT_EQ(*DecodeTarget("/v1/models/library/resnet50:3"), "/v1/models/library/resnet50:3");
  EXPECT_EQ(*DecodeTarget("/v1/models/a%40sha256%3Ab"), "/v1/models/a@sha256:b");
  EXPECT_EQ(*DecodeTarget("/caf%C3%A9"), "/café");
}

TEST(DecodeTarget, RefusesWhatTwoProgramsMayReadDifferently) {
  for (const char* raw : {"",
                          "v1/status",
                          "http://evil/v1/status",
                          "*",
                          "//",
                          "/v1//status",
                          "/v1/../status",
                          "/v1/./status",
                          "/v1/%2e%2e/status",
                          "/v1/%2E./status",
                          "/v1/a%2Fb",
                          "/v1/a%5cb",
                          "/v1/a\\b",
                          "/v1/%",
                          "/v1/%2",
                          "/v1/%zz",
                          "/v1/a%00b",
                          "/v1/a%0ab",
                          "/v1/%ff",
                          "/v1/",
                          "/v1/%252e%252e/../x"}) {
    EXPECT_EQ(DecodeTarget(raw).status().code(), StatusCode::kInvalidArgument) << raw;
  }
  EXPECT_FALSE(DecodeTarget("/" + std::string(kMaxTargetBytes, 'a')).ok());
  EXPECT_TRUE(DecodeTarget("/" + std::string(kMaxTargetBytes - 1, 'a')).ok());
}

TEST(DecodeTarget, DecodesOnce) { EXPECT_EQ(*DecodeTarget("/a%252e"), "/a%2e"); }

}  // namespace
}  // namespace trims::admin
