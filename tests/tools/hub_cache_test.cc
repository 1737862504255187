#include "tools/trims/hub_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "support/scratch_folder.h"

namespace trims::cli {
namespace {

using ::testing::HasSubstr;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

class HubCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    environment_["HF_HUB_CACHE"] = folder_.path();
    folder_.Write(Of("blobs/77"), "bytes");
    folder_.Write(Of("refs/main"), kCommit);
    folder_.Write(Of("refs/refs/pr/1"), "fedcba98");
    folder_.Write(Snapshot("model.onnx"), "bytes");
    folder_.Write(Of("snapshots/fedcba98/x"), "bytes");
  }
  static std::string Of(const std::string& name) { return "models--org--net/" + name; }
  static std::string Snapshot(const std::string& name) {
    return Of("snapshots/" + std::string(kCommit) + "/" + name);
  }
  Result<std::string> Path(const std::string& source) {
    return HubCachePath(source, [this](const char* name) -> const char* {
      const auto found = environment_.find(name);
      return found == environment_.end() ? nullptr : found->second.c_str();
    });
  }
  std::string Found(const std::string& source) {
    const Result<std::string> path = Path(source);
    return path.ok() ? std::filesystem::path(*path).lexically_relative(folder_.path()).string()
                     : path.status().ToString();
  }
  test::ScratchFolder folder_;
  std::map<std::string, std::string> environment_;
};

TEST_F(HubCacheTest, FindsASnapshotByRevision) {
  const std::string main = Of("snapshots/" + std::string(kCommit));
  EXPECT_EQ(Found("hf-cache:org/net"), main);
  EXPECT_EQ(Found("hf-cache:org/net@main"), main);
  EXPECT_EQ(Found("hf-cache:org/net@01234567"), main);
  EXPECT_EQ(Found("hf-cache:org/net@refs/pr/1"), Of("snapshots/fedcba98"));
  EXPECT_EQ(Found("hf-cache:org/net/model.onnx"), Snapshot("model.onnx"));
  EXPECT_EQ(Found("hf-cache:org/net@main/model.onnx"), Snapshot("model.onnx"));
}

TEST_F(HubCacheTest, LooksWhereTheHubsOwnToolsLook) {
  environment_.clear();
  const std::string name = "models--gpt2/snapshots/1f";
  for (const auto& [variable, below] :
       std::map<std::string, std::string>{{"HF_HUB_CACHE", ""},
                                          {"HF_HOME", "hub/"},
                                          {"XDG_CACHE_HOME", "huggingface/hub/"},
                                          {"HOME", ".cache/huggingface/hub/"}}) {
    environment_ = {{variable, folder_ / variable}};
    folder_.Write(variable + "/" + below + name + "/x", "bytes");
    EXPECT_EQ(Found("hf-cache:gpt2"), variable + "/" + below + name);
  }
  environment_.clear();
  EXPECT_EQ(Path("hf-cache:gpt2").status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(HubCacheTest, WhatIsNotThereNamesTheDownload) {
  EXPECT_THAT(Path("hf-cache:org/nett").status().hint(), HasSubstr("hf-cache:org/net"));
  EXPECT_EQ(Path("hf-cache:elsewhere/thing").status().hint(),
            "get it: hf download elsewhere/thing");
  const Status revision = Path("hf-cache:org/net@v2").status();
  EXPECT_THAT(revision.message(), HasSubstr(kCommit));
  EXPECT_EQ(revision.hint(), "get it: hf download org/net --revision v2");
  EXPECT_EQ(Path("hf-cache:org/net/none.onnx").status().hint(),
            "get it: hf download org/net none.onnx");
}

TEST_F(HubCacheTest, NamesThatLeadAwayAreRefused) {
  for (const char* source :
       {"hf-cache:", "hf-cache:..", "hf-cache:../x", "hf-cache:a@../..", "hf-cache:org/net/../../x",
        "hf-cache:a/b/c@main", "hf-cache:org/net@", "hf-cache:org/net//etc/passwd",
        "hf-cache:org/net@main//etc/passwd", "hf-cache:org/net@/etc/passwd"}) {
    EXPECT_EQ(Path(source).status().code(), StatusCode::kInvalidArgument) << source;
  }
}

TEST_F(HubCacheTest, ARepositorysFolderMeansItsMain) {
  EXPECT_EQ(*SnapshotOfRepository(folder_ / "models--org--net"),
            folder_ / Of("snapshots/" + std::string(kCommit)));
  EXPECT_EQ(*SnapshotOfRepository(folder_.path()), "");
  std::filesystem::remove(folder_ / Of("refs/main"));
  EXPECT_EQ(SnapshotOfRepository(folder_ / "models--org--net").status().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace trims::cli
