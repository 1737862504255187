#include "source/hub_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "support/scratch_folder.h"

namespace trims {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

std::string SourceText(const std::string& name) {
  std::ifstream file(TRIMS_SOURCE_FOLDER "/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

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
                                          {"HUGGINGFACE_HUB_CACHE", ""},
                                          {"HF_HOME", "hub/"},
                                          {"XDG_CACHE_HOME", "huggingface/hub/"},
                                          {"HOME", ".cache/huggingface/hub/"}}) {
    environment_ = {{variable, folder_ / variable}};
    folder_.Write(variable + "/" + below + name + "/x", "bytes");
    EXPECT_EQ(Found("hf-cache:gpt2"), variable + "/" + below + name);
  }
}

// Named in the errors, in the header and in the docs.
TEST_F(HubCacheTest, AMissingCacheNamesEveryVariableThatWasLookedAt) {
  environment_.clear();
  const Status unset = Path("hf-cache:gpt2").status();
  EXPECT_EQ(unset.code(), StatusCode::kFailedPrecondition);
  environment_ = {{"HF_HUB_CACHE", folder_ / "nowhere"}};
  const Status missing = Path("hf-cache:gpt2").status();
  EXPECT_EQ(missing.code(), StatusCode::kNotFound);
  for (const char* variable :
       {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"}) {
    EXPECT_THAT(unset.message(), HasSubstr(variable));
    EXPECT_THAT(missing.message(), HasSubstr(variable));
    for (const char* text : {"src/source/hub_cache.h", "docs/formats.md"}) {
      EXPECT_THAT(SourceText(text), HasSubstr("$" + std::string(variable))) << text;
    }
  }
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

TEST_F(HubCacheTest, NamesThatTheDownloadWouldTakeForOptionsAreRefused) {
  for (const char* source : {"hf-cache:--help", "hf-cache:-o/net", "hf-cache:org/net@--token",
                             "hf-cache:org/net/-x", "hf-cache:org/net@main/-x"}) {
    const Status status = Path(source).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << source;
    EXPECT_THAT(status.message(), HasSubstr("begin with '-'"));
  }
  folder_.Write("models---x/snapshots/README", "");
  const Status folder = SnapshotOfRepository(folder_ / "models---x").status();
  EXPECT_THAT(folder.hint(), Not(HasSubstr("hf download")));
}

TEST_F(HubCacheTest, AReferenceThatIsNoSmallFileIsNone) {
  std::filesystem::remove_all(folder_ / Of("snapshots/fedcba98"));
  for (const char* endless : {"/dev/zero", "/dev/tty"}) {
    std::filesystem::remove(folder_ / Of("refs/main"));
    std::filesystem::create_symlink(endless, folder_ / Of("refs/main"));
    EXPECT_EQ(Found("hf-cache:org/net"), Of("snapshots/" + std::string(kCommit))) << endless;
  }
}

TEST_F(HubCacheTest, TheBeginningOfSeveralCommitsIsAmbiguous) {
  folder_.Write(Of("snapshots/01234568/x"), "bytes");
  const Status status = Path("hf-cache:org/net@012345").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("ambiguous"));
  EXPECT_THAT(status.message(), HasSubstr(kCommit));
  EXPECT_THAT(status.message(), HasSubstr("01234568"));
  EXPECT_EQ(Found("hf-cache:org/net@01234568"), Of("snapshots/01234568"));
}

TEST_F(HubCacheTest, TheBeginningOfACommitHasAtLeastFourDigits) {
  const Status status = Path("hf-cache:org/net@012").status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("at least 4 digits"));
  EXPECT_THAT(status.hint(), HasSubstr(kCommit));
  EXPECT_EQ(Path("hf-cache:org/net@99").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Found("hf-cache:org/net@0123"), Of("snapshots/" + std::string(kCommit)));
}

TEST_F(HubCacheTest, TellsWhatWasMeant) {
  const std::map<std::string, std::string> meant = {
      {"org/net", "hf-cache:org/net"},
      {"hf://org/net", "hf-cache:org/net"},
      {"https://huggingface.co/org/net", "hf-cache:org/net"},
      {"https://huggingface.co/org/net/", "hf-cache:org/net"},
      {"https://hf.co/org/net/tree/v2", "hf-cache:org/net@v2"},
      {"https://huggingface.co/org/net/blob/main/a/b.onnx?download=true",
       "hf-cache:org/net@main/a/b.onnx"},
      {"https://huggingface.co/datasets/org/net", ""},
      {"https://huggingface.co/org", ""},
      {"https://elsewhere.org/org/net", ""},
      {"/models/net", ""},
      {"/net.onnx", ""},
      {"./net", ""},
      {"--org/net", ""},
      {"net", ""},
      {"", ""}};
  for (const auto& [source, expected] : meant) {
    EXPECT_EQ(HubCacheSourceFor(source), expected) << source;
  }
}

TEST_F(HubCacheTest, ARepositorysFolderMeansItsMain) {
  EXPECT_EQ(*SnapshotOfRepository(folder_ / "models--org--net"),
            folder_ / Of("snapshots/" + std::string(kCommit)));
  EXPECT_EQ(*SnapshotOfRepository(folder_.path()), "");
}

TEST_F(HubCacheTest, WithoutAMainItMeansTheOnlySnapshot) {
  const std::string repository = folder_ / "models--org--net";
  std::filesystem::remove_all(repository + "/refs");
  EXPECT_EQ(SnapshotOfRepository(repository).status().code(), StatusCode::kNotFound);
  std::filesystem::remove_all(repository + "/snapshots/fedcba98");
  EXPECT_EQ(*SnapshotOfRepository(repository), repository + "/snapshots/" + kCommit);
  EXPECT_EQ(Found("hf-cache:org/net"), Of("snapshots/" + std::string(kCommit)));
}

TEST_F(HubCacheTest, AReferenceWhoseSnapshotIsGoneMeansNone) {
  folder_.Write(Of("refs/main"), "77777777");
  std::filesystem::remove_all(folder_ / Of("snapshots/fedcba98"));  // one is left, but not main
  for (const Status& status :
       {SnapshotOfRepository(folder_ / "models--org--net").status(),
        Path("hf-cache:org/net").status(), Path("hf-cache:org/net@main").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_THAT(status.message(), HasSubstr("no revision 'main'"));
    EXPECT_THAT(status.message(), HasSubstr(kCommit));
    EXPECT_THAT(status.hint(), HasSubstr("hf download org/net"));
  }
}

}  // namespace
}  // namespace trims
