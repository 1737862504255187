#include "transfer/aws_signature.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace trims {
namespace {

// The example of AWS's documentation: "Signature calculations: GET bucket (list objects)".
TEST(AwsSignatureTest, IsThatOfAwsOwnExample) {
  const auto now = std::chrono::sys_days(std::chrono::year(2013) / 5 / 24);
  const std::vector<std::string> headers =
      AwsSignatureHeaders({.url = "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
                           .signing = HttpSigning{"aws:amz:us-east-1:s3", "AKIAIOSFODNN7EXAMPLE",
                                                  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}},
                          now);
  EXPECT_EQ(headers.back(),
            "Authorization: AWS4-HMAC-SHA256 "
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
            "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(AwsSignatureTest, ASessionsTokenIsSigned) {
  const std::vector<std::string> headers = AwsSignatureHeaders(
      {.url = "http://h:80/a", .signing = HttpSigning{"aws:amz:r:s3", "A", "s", "token"}},
      std::chrono::system_clock::now());
  EXPECT_EQ(headers[2], "x-amz-security-token:token");
  EXPECT_NE(headers.back().find("x-amz-date;x-amz-security-token,"), std::string::npos);
}

TEST(AwsSignatureTest, HeadersOfAmazonsOwnAndTheBodyAreSigned) {
  const auto signed_with = [](const std::string& body_sha256, const std::string& meta) {
    return AwsSignatureHeaders({.method = "PUT",
                                .url = "http://h/a",
                                .headers = {"X-Amz-Meta-b: " + meta, "x-amz-meta: 1", "Other: 2"},
                                .signing = HttpSigning{"aws:amz:r:s3", "A", "s", "token"},
                                .body_sha256 = body_sha256},
                               std::chrono::sys_days(std::chrono::year(2026) / 1 / 2));
  };
  const std::vector<std::string> headers = signed_with("cafe", "x");
  EXPECT_EQ(headers[0], "x-amz-content-sha256:cafe");
  EXPECT_NE(headers.back().find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta;"
                                "x-amz-meta-b;x-amz-security-token,"),
            std::string::npos)
      << headers.back();
  EXPECT_NE(headers.back(), signed_with("cafe", "y").back());
  EXPECT_NE(headers.back(), signed_with("beef", "x").back());
}

}  // namespace
}  // namespace trims
