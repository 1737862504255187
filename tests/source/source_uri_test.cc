#include "source/source_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace trims {
namespace {

struct Url {
  std::string_view url;
  std::string_view path;
};

TEST(SourceUriTest, GivesThePath) {
  for (const Url& url : std::vector<Url>{{"file:///models/a.onnx", "/models/a.onnx"},
                                         {"file://localhost/a", "/a"},
                                         {"file:/a/b", "/a/b"},
                                         {"file:///", "/"},
                                         {"file:///a/", "/a"},
                                         {"file:////a//b/./c", "/a/b/c"},
                                         {"file:///a%20b%2Fc", "/a b/c"},
                                         {"file:///100%25", "/100%"},
                                         {"file:///%C3%A4", "/\xC3\xA4"},
                                         {"file:///..a/b..", "/..a/b.."}}) {
    const Result<SourceUri> uri = ParseSourceUri(url.url);
    ASSERT_TRUE(uri.ok()) << url.url << ": " << uri.status().ToString();
    EXPECT_EQ(uri->scheme, SourceUri::Scheme::kFile);
    EXPECT_EQ(uri->path, url.path);
  }
}

TEST(SourceUriTest, RefusesTheRestAndSaysWhatToWrite) {
  const std::string too_long = "file:///" + std::string(4096, 'a');
  for (const std::string_view url : {std::string_view(""),
                                     std::string_view("/models/a"),
                                     std::string_view("models"),
                                     std::string_view("FILE:///a"),
                                     std::string_view("file:"),
                                     std::string_view("file://"),
                                     std::string_view("file:a"),
                                     std::string_view("file://host/a"),
                                     std::string_view("file://host"),
                                     std::string_view("file:///a/../b"),
                                     std::string_view("file:///a/%2e%2E/b"),
                                     std::string_view("file:///a%"),
                                     std::string_view("file:///a%2"),
                                     std::string_view("file:///%zz"),
                                     std::string_view("file:///a%00b"),
                                     std::string_view("file:///a\0b", 11),
                                     std::string_view("file:///a?b"),
                                     std::string_view("file:///a#b"),
                                     std::string_view(too_long),
                                     std::string_view("ftp://a/b")}) {
    const Status status = ParseSourceUri(url).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(status.hint(), ::testing::HasSubstr("file:///")) << url;
  }
}

TEST(SourceUriTest, OtherStoresAreNotThereYet) {
  for (const std::string_view url : {"gs://bucket/a", "az://container/a"}) {
    EXPECT_EQ(ParseSourceUri(url).status().code(), StatusCode::kUnimplemented) << url;
  }
}

TEST(SourceUriTest, EveryPathComesBackFromItsUrl) {
  std::string path = "/";
  for (int c = 1; c < 256; ++c) {
    if (c != '/') path.push_back(static_cast<char>(c));
  }
  const Result<SourceUri> back = ParseSourceUri(SourceUri::OfPath(path).ToString());
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->path, path);
}

TEST(SourceUri, SaysWhetherLinksAreFollowed) {
  const Result<SourceUri> uri = ParseSourceUri("file:///models/net?links=follow");
  ASSERT_TRUE(uri.ok()) << uri.status().ToString();
  EXPECT_TRUE(uri->follow_links);
  EXPECT_EQ(uri->path, "/models/net");
  EXPECT_EQ(uri->ToString(), "file:///models/net?links=follow");
  EXPECT_FALSE(ParseSourceUri("file:///models/net%3Flinks=follow")->follow_links);
  EXPECT_FALSE(ParseSourceUri("file:///models/net?links=none").ok());
}

}  // namespace
}  // namespace trims
