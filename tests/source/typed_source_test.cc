#include "source/typed_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace trims {
namespace {

using ::testing::HasSubstr;

class TypedSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / "source-url-XXXXXX";
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    std::ofstream(folder_ + "/model.onnx") << "x";
    std::filesystem::create_directory(folder_ + "/repo");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Url(const std::string& source) {
    const Result<std::string> url = TypedSourceUrl(source, folder_);
    EXPECT_TRUE(url.ok()) << url.status().ToString();
    return url.ok() ? *url : "";
  }
  Status Error(const std::string& source) { return TypedSourceUrl(source, folder_).status(); }

  std::string folder_;
};

TEST_F(TypedSourceTest, MakesPathsAbsolute) {
  EXPECT_EQ(Url("model.onnx"), "file://" + folder_ + "/model.onnx");
  EXPECT_EQ(Url("./repo/../model.onnx"), "file://" + folder_ + "/model.onnx");
  EXPECT_EQ(Url(folder_ + "/model.onnx"), "file://" + folder_ + "/model.onnx");
  EXPECT_EQ(Url("repo/"), "file://" + folder_ + "/repo");
  EXPECT_EQ(Url("."), "file://" + folder_);
}

TEST_F(TypedSourceTest, KeepsFileUrls) {
  EXPECT_EQ(Url("file://" + folder_ + "/repo"), "file://" + folder_ + "/repo");
}

TEST_F(TypedSourceTest, EscapesAPathAndTakesEscapesInAUrl) {
  std::ofstream(folder_ + "/m\u00fc 100%#1") << "x";
  const std::string url = "file://" + folder_ + "/m%C3%BC%20100%25%231";
  EXPECT_EQ(Url("m\u00fc 100%#1"), url);
  EXPECT_EQ(Url(url), url);
  EXPECT_EQ(Error("file://" + folder_ + "/m\u00fc 100%#1").code(), StatusCode::kInvalidArgument);
}

TEST_F(TypedSourceTest, NamesWhatWasLookedForAndWhatIsNear) {
  const Status error = Error("modle.onnx");
  EXPECT_EQ(error.code(), StatusCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("'" + folder_ + "/modle.onnx'"));
  EXPECT_THAT(error.hint(), HasSubstr(folder_ + "/model.onnx"));
}

TEST_F(TypedSourceTest, NamesTheFirstMissingPart) {
  const Status error = Error("no/such/file");
  EXPECT_EQ(error.code(), StatusCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr("there is no '" + folder_ + "/no'"));
}

TEST_F(TypedSourceTest, RefusesOtherSchemesAndHosts) {
  EXPECT_EQ(Error("gs://bucket/key").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(Error("file://host/path").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Error("").code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Error("").hint(), HasSubstr("give the path"));
}

TEST_F(TypedSourceTest, ModelsOfTheHubAreNamedAsTheyAreAdded) {
  for (const char* source : {"org/net", "https://huggingface.co/org/net"}) {
    EXPECT_THAT(Error(source).hint(), HasSubstr("hf-cache:org/net")) << source;
    EXPECT_THAT(Error(source).hint(), HasSubstr("hf://org/net")) << source;
  }
  EXPECT_THAT(Error("repo/net").hint(), HasSubstr("hf-cache:repo/net"));
  EXPECT_THAT(Error("gs://bucket/key").hint(), HasSubstr("download"));
}

TEST_F(TypedSourceTest, UrlsOfANetworkPassThroughChecked) {
  EXPECT_EQ(Url("s3://bucket/my net/"), "s3://bucket/my%20net/");
  EXPECT_EQ(Url("hf://org/net"), "hf://org/net@main");
  EXPECT_EQ(Url("https://Models.example/a.onnx"), "https://models.example/a.onnx");
  EXPECT_EQ(Url("https://huggingface.co/org/net/resolve/main/a.onnx"),
            "https://huggingface.co/org/net/resolve/main/a.onnx");
  EXPECT_EQ(Url("oci://localhost:5000/net:v1"), "oci://localhost:5000/net:v1");
  EXPECT_EQ(Error("s3://B/key").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Error("https://user:secret@host/a").code(), StatusCode::kInvalidArgument);
  const Status links = TypedSourceUrl("hf://org/net", folder_, {.follow_links = true}).status();
  EXPECT_EQ(links.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(links.hint(), HasSubstr("--follow-links"));
}

TEST_F(TypedSourceTest, TakesANameWithAColonForAFile) {
  std::ofstream(folder_ + "/a:b") << "x";
  EXPECT_EQ(Url("a:b"), "file://" + folder_ + "/a:b");
}

TEST_F(TypedSourceTest, RefusesWhatIsNeitherFileNorFolder) {
  ASSERT_EQ(mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(Error("pipe").code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Error("pipe").hint(), HasSubstr("give the path"));
}

// In a child that is nobody, since root may read everything.
TEST_F(TypedSourceTest, RefusesWhatThisUserMayNotRead) {
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
  ASSERT_EQ(chmod((folder_ + "/model.onnx").c_str(), 0), 0);
  const auto read_as_nobody = [this] {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) _exit(1);
    const Status error = Error("model.onnx");
    _exit(error.code() == StatusCode::kPermissionDenied && !error.hint().empty() ? 0 : 2);
  };
  EXPECT_EXIT(read_as_nobody(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace trims
