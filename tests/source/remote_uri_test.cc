#include "source/remote_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/model_limits.h"
#include "source/file_tree.h"

namespace trims {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Scheme = SourceUri::Scheme;

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct Parsed {
  std::string url;
  SourceUri uri;
  std::string text = url;
};

void ExpectParsed(const std::vector<Parsed>& cases) {
  for (const Parsed& wanted : cases) {
    const Result<SourceUri> uri = ParseSourceUri(wanted.url);
    ASSERT_TRUE(uri.ok()) << wanted.url << ": " << uri.status().ToString();
    EXPECT_TRUE(*uri == wanted.uri) << wanted.url << " became " << uri->ToString();
    EXPECT_EQ(uri->ToString(), wanted.text);
    const Result<SourceUri> again = ParseSourceUri(uri->ToString());
    ASSERT_TRUE(again.ok()) << uri->ToString();
    EXPECT_TRUE(*again == *uri) << uri->ToString();
  }
}

void ExpectRefused(const std::string& url, const std::string& hint) {
  const Status status = ParseSourceUri(url).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << url;
  EXPECT_THAT(status.hint(), HasSubstr(hint)) << url;
}

TEST(RemoteUriTest, AddressesOfTheWeb) {
  ExpectParsed({
      {"https://Models.Example/a%20b/net.onnx",
       {.scheme = Scheme::kHttps, .authority = "models.example", .path = "/a%20b/net.onnx"},
       "https://models.example/a%20b/net.onnx"},
      {"http://127.0.0.1:8080/a?download=true&v=1",
       {.scheme = Scheme::kHttp,
        .authority = "127.0.0.1:8080",
        .path = "/a",
        .query = "download=true&v=1"}},
      {"https://[::1]:8443/a", {.scheme = Scheme::kHttps, .authority = "[::1]:8443", .path = "/a"}},
  });
  for (const char* bad :
       {"https://",      "https:///a",        "https://h",      "https://h/",
        "https://h/a/",  "https://h//a",      "https://h/../a", "https://h/%2e%2e/a",
        "https://h/a b", "https://h/a#b",     "https://h/%zz",  "https://h/a%00",
        "https://h:0/a", "https://h:65536/a", "https://h:/a",   "https://h:x/a",
        "https://-h/a",  "https://h..i/a",    "https://[::1/a", "https://h/\xC3\xA4",
        "https://?a",    "https://h?a"}) {
    ExpectRefused(bad, "https://HOST/PATH");
  }
}

TEST(RemoteUriTest, KeysAndPrefixesOfBuckets) {
  ExpectParsed({
      {"s3://bucket/a/net.onnx",
       {.scheme = Scheme::kS3, .authority = "bucket", .path = "a/net.onnx"}},
      {"s3://bucket/models/", {.scheme = Scheme::kS3, .authority = "bucket", .path = "models/"}},
      {"s3://my.bucket-1",
       {.scheme = Scheme::kS3, .authority = "my.bucket-1"},
       "s3://my.bucket-1/"},
      {"s3://bucket/a b%3Fc@d",
       {.scheme = Scheme::kS3, .authority = "bucket", .path = "a b?c@d"},
       "s3://bucket/a%20b%3Fc@d"},
  });
  for (const char* bad :
       {"s3://", "s3:///key", "s3://ab/key", "s3://Bucket/key", "s3://.bucket/key", "s3://a..b/key",
        "s3://bucket//key", "s3://bucket/a//b", "s3://bucket/../b", "s3://bucket/a/./b",
        "s3://bucket//", "s3://bucket/a?b", "s3://bucket/a#b", "s3://bucket/%0a",
        "s3://bucket/%ff"}) {
    ExpectRefused(bad, "s3://BUCKET/KEY");
  }
  ExpectRefused("s3://bucket/" + std::string(1025, 'a'), "s3://BUCKET/KEY");
}

TEST(RemoteUriTest, RepositoriesOfTheHub) {
  ExpectParsed({
      {"hf://org/net",
       {.scheme = Scheme::kHf, .repository = "org/net", .revision = "main"},
       "hf://org/net@main"},
      {"hf://org/net/",
       {.scheme = Scheme::kHf, .repository = "org/net", .revision = "main"},
       "hf://org/net@main"},
      {"hf://org/net@v1.0", {.scheme = Scheme::kHf, .repository = "org/net", .revision = "v1.0"}},
      {"hf://org/net/onnx/a@b.onnx",
       {.scheme = Scheme::kHf,
        .repository = "org/net",
        .revision = "main",
        .path = "onnx/a@b.onnx"},
       "hf://org/net@main/onnx/a@b.onnx"},
      {"hf://org/net@refs/pr/1/a.onnx",
       {.scheme = Scheme::kHf, .repository = "org/net", .revision = "refs/pr/1", .path = "a.onnx"},
       "hf://org/net@refs%2Fpr%2F1/a.onnx"},
      {"hf://org/net@my%2Fbranch",
       {.scheme = Scheme::kHf, .repository = "org/net", .revision = "my/branch"}},
  });
  for (const char* bad :
       {"hf://", "hf://net", "hf:///net", "hf://org/", "hf://org/net@", "hf://org/.net",
        "hf://org/n..t", "hf://org/net@a..b", "hf://org/net@-x", "hf://org/net@a%20b",
        "hf://org/net/../a", "hf://org/net//a", "hf://org/net?x", "hf://org/net#x",
        "hf://org/net/a?x", "hf://datasets/org/x", "hf://spaces/org/x", "hf://org/net@main/%"}) {
    ExpectRefused(bad, "hf://ORG/REPO");
  }
}

TEST(RemoteUriTest, ArtifactsOfRegistries) {
  ExpectParsed({
      {"oci://localhost:5000/net:v1",
       {.scheme = Scheme::kOci,
        .authority = "localhost:5000",
        .repository = "net",
        .revision = "v1"}},
      {"oci://Registry.example/models/my__net-2.x:latest",
       {.scheme = Scheme::kOci,
        .authority = "registry.example",
        .repository = "models/my__net-2.x",
        .revision = "latest"},
       "oci://registry.example/models/my__net-2.x:latest"},
      {"oci://r/a@" + kDigest,
       {.scheme = Scheme::kOci, .authority = "r", .repository = "a", .revision = kDigest}},
  });
  for (const std::string& bad :
       {std::string("oci://"), std::string("oci://r"), std::string("oci://r/"),
        std::string("oci://r/a"), std::string("oci://r/a:"), std::string("oci://r/A:v"),
        std::string("oci://r/a//b:v"), std::string("oci://r/a___b:v"),
        std::string("oci://r/a..b:v"), std::string("oci://r/-a:v"), std::string("oci://r/a:.v"),
        std::string("oci://r/a:v?x"), std::string("oci://r/a@sha256:12"),
        std::string("oci://r/a@md5:") + std::string(64, 'a'), "oci://r/a:v@" + kDigest,
        "oci://r/a:" + std::string(129, 'v')}) {
    ExpectRefused(bad, "oci://REGISTRY/NAME:TAG");
  }
}

TEST(RemoteUriTest, SecretsAreRefusedAndNotRepeated) {
  for (const char* url :
       {"https://user:hush@host/a", "https://hush@host/a", "https://user:hu/hush@host/a",
        "https://user:hush", "https://user:hu?hush@host/a", "s3://AKIA:hush@bucket/key",
        "s3://user:hush/key", "oci://user:hush@host/a:v", "oci://user:hu/hush@host/a:v",
        "https://h/a?X-Amz-Signature=hush", "https://h/a?b=1&Token=hush", "https://h/a?s%69g=hush",
        "https://h/a?AWSAccessKeyId=hush", "https://h/a;?x=1;api_key=hush",
        "ftp://user:hush@host/a", "file://user:hush@host/a"}) {
    const Status status = ParseSourceUri(url).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(status.ToString(), Not(HasSubstr("hush"))) << url;
  }
  ExpectRefused("https://user:pw@host/a", "credentials come from the daemon's environment");
  ExpectRefused("https://h/a?sig=x", "credentials come from the daemon's environment");
}

TEST(RemoteUriTest, WhatFollowsAQueryIsNoScheme) {
  for (const char* text : {"a?b://c", "?://", "a?://hush@b"}) {
    const Status status = ParseSourceUri(text).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(status.ToString(), Not(HasSubstr("hush"))) << text;
  }
}

TEST(RemoteUriTest, NoneIsTooLongToSend) {
  const std::string longest = "https://h/" + std::string(kMaxPathBytes - 1, 'a');
  ASSERT_TRUE(ParseSourceUri(longest).ok());
  EXPECT_FALSE(ParseSourceUri(longest + "a").ok());
  EXPECT_FALSE(ParseSourceUri("https://h/a?" + std::string(kMaxPathBytes + 1, 'a')).ok());
  EXPECT_TRUE(ParseSourceUri("hf://org/net/" + std::string(kMaxPathBytes, 'a')).ok());
  EXPECT_FALSE(ParseSourceUri("hf://org/net/" + std::string(kMaxPathBytes + 1, 'a')).ok());
}

// Whatever is accepted is written so that it means the same when it is read again.
TEST(RemoteUriTest, WhatIsTakenApartIsPutTogetherTheSame) {
  constexpr std::string_view kPieces[] = {
      "/", "a", "..",       "%2F",     "%25",  "@", ":", "refs",   "main", "?", "sig", "=",
      ".", " ", "\xC3\xA4", "sha256:", "5000", "-", "_", "b.onnx", "[",    "]", "#"};
  std::mt19937 random(7);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string url(std::vector<std::string_view>{"https://h", "s3://bucket", "hf://org/net",
                                                  "oci://r/a:v", "file://"}[i % 5]);
    for (size_t parts = random() % 7; parts > 0; --parts)
      url += kPieces[random() % std::size(kPieces)];
    const Result<SourceUri> uri = ParseSourceUri(url);
    if (!uri.ok()) continue;
    ++accepted;
    const Result<SourceUri> again = ParseSourceUri(uri->ToString());
    ASSERT_TRUE(again.ok()) << url << " as " << uri->ToString();
    ASSERT_TRUE(*again == *uri) << url << " as " << uri->ToString();
  }
  EXPECT_GT(accepted, 1000);
}

TEST(RemoteUriTest, WhatReadsFilesRefusesIt) {
  const Result<SourceUri> uri = ParseSourceUri("s3://bucket/key");
  ASSERT_TRUE(uri.ok());
  const Status file = FileTree::At(*uri).status();
  EXPECT_EQ(file.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(file.message(), HasSubstr("s3://bucket/key"));
  EXPECT_EQ(OpenSourceTree(*uri).status().code(), StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace trims
