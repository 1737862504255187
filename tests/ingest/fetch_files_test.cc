// FetchFromNetwork against an origin: what comes to lie where, of a file and of a pushed model.
#include "ingest/fetch_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "base/macros.h"
#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "ingest/pushed_folder.h"
#include "support/content.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FetchFilesTest : public ::testing::Test {
 protected:
  FetchFilesTest() {
    fs::create_directories(scratch_ / "files");
    fs::create_directories(scratch_ / "partial");
  }

  Result<SourceUri> Fetch(const std::string& target) {
    TRIMS_ASSIGN_OR_RETURN(const Fetched fetched, FetchAll(target));
    return fetched.source;
  }
  Result<Fetched> FetchAll(const std::string& target, const FetchCalls& calls = {}) {
    HttpOrigin origin([this](const OriginRequest& request) {
      const auto found = served_.find(request.target);
      return found == served_.end() ? OriginReply{.status = 404}
                                    : ServeObject(request, found->second, "\"v\"");
    });
    return FetchFromNetwork({})({.uri = *ParseSourceUri(origin.url() + target),
                                 .files = scratch_ / "files",
                                 .partial = scratch_ / "partial"},
                                calls);
  }

  std::map<std::string, std::string> served_;
  ScratchFolder scratch_;
};

TEST_F(FetchFilesTest, AFileLiesUnderItsName) {
  served_["/models/my%20net.onnx"] = "weights";
  const Result<SourceUri> source = Fetch("/models/my%20net.onnx");
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  EXPECT_EQ(source->path, scratch_ / "files/my net.onnx");
  EXPECT_EQ(TextOf(source->path), "weights");
  EXPECT_EQ(Fetch("/none").status().code(), StatusCode::kNotFound);
}

TEST_F(FetchFilesTest, WhereThereIsRoomAFileComesIntoMemoryToo) {
  const std::string content = Content(100'000);
  served_["/net.bin"] = content;
  uint64_t asked = 0;
  const FetchCalls calls{.take_room = [&](uint64_t bytes) -> Result<SharedLandingRoom> {
    asked = bytes;
    return std::make_shared<std::unique_ptr<LandingRoom>>();
  }};
  const Result<Fetched> fetched = FetchAll("/net.bin", calls);
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  EXPECT_EQ(asked, 102'400u) << "whole pages";
  ASSERT_NE(fetched->landed, nullptr);
  const Landed& landed = *fetched->landed;
  EXPECT_EQ(landed.name, "net.bin");
  EXPECT_EQ(landed.length, content.size());
  EXPECT_EQ(landed.content.sha256, Sha256Hex(BytesOf(content)));
  EXPECT_EQ(landed.content.digests.sha256, TreeDigestOf(BytesOf(content)));
  EXPECT_EQ(TextOf("/proc/self/fd/" + std::to_string(landed.content.extent.fd.get())), content);
  EXPECT_EQ(TextOf(fetched->source.path), content);
}

TEST_F(FetchFilesTest, WithoutRoomAFileComesToTheDisk) {
  served_["/net.bin"] = "weights";
  const FetchCalls calls{.take_room = [](uint64_t) -> Result<SharedLandingRoom> {
    return Status(StatusCode::kFailedPrecondition, "nothing is kept");
  }};
  const Result<Fetched> fetched = FetchAll("/net.bin", calls);
  ASSERT_TRUE(fetched.ok()) << fetched.status().ToString();
  EXPECT_EQ(fetched->landed, nullptr);
  EXPECT_EQ(TextOf(fetched->source.path), "weights");
}

TEST_F(FetchFilesTest, APushedModelIsFetchedByItsManifest) {
  const std::string content = "weights";
  const auto bytes = std::as_bytes(std::span(content));
  ManifestVariant variant;
  variant.folder = "files-0123";
  variant.index_path = "index";
  variant.index_length = 5;
  variant.index_sha256 = Sha256Hex(bytes);
  variant.extents.push_back(
      {.length = content.size(),
       .sha256 = TreeDigestOf(bytes),
       .xxh3 = ChunkSumsOf(bytes),
       .pieces = {{PieceOrigin::kPrepared, "source/a b.bin", 0, content.size(), 0}}});
  Manifest manifest;
  manifest.digest = Sha256Hex(bytes);
  manifest.format = "files";
  manifest.source = "file:///m";
  manifest.files = {{.name = "a b.bin", .length = content.size(), .sha256 = manifest.digest}};
  manifest.variants = {variant};
  served_["/ocr/trims.json"] = ManifestToJson(manifest);
  served_["/ocr/files-0123/index"] = "index";
  served_["/ocr/files-0123/source/a%20b.bin"] = content;
  const Result<SourceUri> source = Fetch("/ocr/trims.json");
  ASSERT_TRUE(source.ok()) << source.status().ToString();
  EXPECT_EQ(source->path, scratch_ / "files");
  EXPECT_TRUE(IsPushed(source->path));
  EXPECT_EQ(TextOf(scratch_ / "files/files-0123/index"), "index");
  EXPECT_FALSE(fs::exists(scratch_ / "files/files-0123/source"));  // until somebody opens it
  const auto refused = [&](const std::string& target) {
    fs::remove_all(scratch_ / "files");
    fs::create_directory(scratch_ / "files");
    const Status status = Fetch("/ocr/trims.json").status();
    EXPECT_THAT(status.message(), HasSubstr(target));
    return status.code();
  };
  served_["/ocr/files-0123/source/a%20b.bin"] = "weight";
  EXPECT_EQ(refused("files-0123/source/a b.bin"), StatusCode::kDataLoss);
  served_["/ocr/files-0123/index"] = "the index";
  EXPECT_EQ(refused("files-0123/index"), StatusCode::kDataLoss);
  served_.erase("/ocr/files-0123/index");
  EXPECT_EQ(refused("files-0123/index"), StatusCode::kNotFound);
}

}  // namespace
}  // namespace trims::test
