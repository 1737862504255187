// Pushing into a bucket: what is there in the end is imported byte for byte, whatever the pieces were; what is
// damaged here is not sent, and what is there already isn't either.
#include "ingest/push_to_bucket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "ingest/image_checker.h"
#include "ingest/pushed_folder.h"
#include "support/content.h"
#include "support/fake_s3.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kSmallGap = 4096;
constexpr uint64_t kHeader = 100;  // of the source, which no extent has

// A model of a source of 12 MiB, whose two halves lie in the extent the other way round with a gap before each,
// and of a small prepared file between them: chunks lie in two files and across the ends of pieces.
class PushToBucketTest : public ::testing::Test {
 protected:
  PushToBucketTest() {
    const uint64_t half = (kWeights.size() - kHeader) / 2;
    const uint64_t rest = kWeights.size() - kHeader - half;
    scratch_.Write("model/w.bin", kWeights);
    scratch_.Write("prepared/tensors-01/index", kIndex);
    scratch_.Write("prepared/tensors-01/deep/made", kMade);
    ManifestVariant variant;
    variant.kind = Variant::kTensors;
    variant.folder = "tensors-01";
    variant.index_path = "index";
    variant.index_length = kIndex.size();
    variant.index_sha256 = Sha256Hex(BytesOf(kIndex));
    ManifestExtent extent;
    std::string image;
    const auto add = [&](PieceOrigin origin, const std::string& path, uint64_t offset,
                         const std::string& bytes) {
      image.append(kSmallGap, '\0');
      extent.pieces.push_back({origin, path, offset, bytes.size(), image.size()});
      image += bytes;
    };
    add(PieceOrigin::kSource, "w.bin", kHeader + half, kWeights.substr(kHeader + half, rest));
    add(PieceOrigin::kPrepared, "deep/made", 0, kMade);
    add(PieceOrigin::kSource, "w.bin", kHeader, kWeights.substr(kHeader, half));
    image.append(kSmallGap, '\0');
    extent.length = image.size();
    extent.sha256 = TreeDigestOf(BytesOf(image));
    extent.xxh3 = ChunkSumsOf(BytesOf(image));
    variant.extents.push_back(std::move(extent));
    manifest_.digest = Sha256Hex(BytesOf(kWeights));
    manifest_.format = "files";
    manifest_.source = "file://" + (scratch_ / "model");
    manifest_.files = {{.name = "w.bin", .length = kWeights.size(), .sha256 = manifest_.digest}};
    manifest_.variants.push_back(std::move(variant));
    images_ = MakeImages(manifest_, "default/m", "v1");
  }

  Status Push(const FakeS3& s3, CancelToken* cancel = nullptr) {
    const std::map<std::string, std::string> variables = {{"AWS_ENDPOINT_URL", s3.endpoint()},
                                                          {"AWS_ACCESS_KEY_ID", "me"},
                                                          {"AWS_SECRET_ACCESS_KEY", "hush"},
                                                          {"HOME", scratch_.path()}};
    const PushCalls calls{.progress =
                              [this](std::string_view stage, uint64_t done, uint64_t total) {
                                const std::lock_guard<std::mutex> lock(mutex_);
                                stages_.insert(std::string(stage));
                                done_ = done;
                                total_ = total;
                              },
                          .cancel = cancel};
    const Result<uint64_t> bytes = PushToBucket(
        manifest_, images_, scratch_ / "prepared", *ParseSourceUri("s3://bucket/models/m/"), calls,
        {.environment = [&variables](const char* name) -> const char* {
           const auto found = variables.find(name);
           return found == variables.end() ? nullptr : found->second.c_str();
         },
         .patience = {.attempts = 2, .first_pause = std::chrono::milliseconds(1)}});
    if (bytes.ok()) {
      EXPECT_EQ(*bytes, total_);
    }
    EXPECT_EQ(s3.uploads(), 0u);
    return bytes.status();
  }

  // What is in the bucket, as another node takes it.
  Result<Manifest> Import(const FakeS3& s3) {
    for (const auto& [key, object] : s3.objects())
      scratch_.Write("got/" + key.substr(std::string("models/m/").size()), object.bytes);
    fs::create_directory(scratch_ / "incoming");
    return ImportPushed({.folder = scratch_ / "got", .incoming = scratch_ / "incoming"});
  }

  void Damage(const std::string& name, uint64_t at) {
    std::fstream file(scratch_ / name, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('!');
  }

  const std::string kWeights = Content((12 << 20) + 5);
  const std::string kMade = Content(70'000, 9);
  const std::string kIndex = "the index";
  ScratchFolder scratch_;
  Manifest manifest_;
  std::vector<ImagePtr> images_;
  std::mutex mutex_;
  std::set<std::string> stages_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
};

// Of a model that another node has pushed, and of which this one has fetched nothing yet.
TEST_F(PushToBucketTest, WhatLiesElsewhereIsPushedOn) {
  HttpOrigin origin([this](const OriginRequest& request) {
    return ServeObject(request, request.target == "/far/deep/made" ? kMade : "{}", "\"v\"");
  });
  fs::remove(scratch_ / "prepared/tensors-01/deep/made");
  manifest_.variants[0].remote = ManifestRemote{origin.url() + "/trims.json", "far"};
  images_ = MakeImages(manifest_, "default/m", "v1");
  FakeS3 s3;
  const Status status = Push(s3);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const Result<Manifest> manifest = Import(s3);
  ASSERT_TRUE(manifest.ok()) << manifest.status().ToString();
  EXPECT_FALSE(manifest->variants[0].remote);
  EXPECT_EQ(TextOf(scratch_ / "incoming/tensors-01/deep/made"), kMade);
}

TEST_F(PushToBucketTest, WhatIsPushedIsImportedByteForByte) {
  FakeS3 s3;
  const Status status = Push(s3);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_THAT(stages_, ElementsAre("upload"));
  EXPECT_EQ(done_, total_);
  EXPECT_THAT(s3.requests().back().target, HasSubstr("/models/m/trims.json"));
  const Result<Manifest> imported = Import(s3);
  ASSERT_TRUE(imported.ok()) << imported.status().ToString();
  const ManifestPiece& piece = imported->variants[0].extents[0].pieces[0];
  EXPECT_TRUE(TextOf(scratch_ / ("incoming/tensors-01/" + piece.path)) == kWeights);
  EXPECT_TRUE(TextOf(scratch_ / "incoming/tensors-01/deep/made") == kMade);
}

TEST_F(PushToBucketTest, PushedAgainNothingIsSent) {
  FakeS3 s3;
  ASSERT_TRUE(Push(s3).ok());
  const int sent = s3.Count("PUT");
  ASSERT_TRUE(Push(s3).ok());
  EXPECT_EQ(s3.Count("PUT"), sent);
  EXPECT_EQ(done_, total_);
}

TEST_F(PushToBucketTest, WhatIsDamagedHereIsNotPushed) {
  const std::vector<std::pair<std::string, uint64_t>> places = {
      {"model/w.bin", kHeader},
      {"model/w.bin", 7 << 20},
      {"model/w.bin", kWeights.size() - 1},
      {"prepared/tensors-01/deep/made", 69'999},
      {"prepared/tensors-01/index", 3}};
  for (const auto& [name, at] : places) {
    SCOPED_TRACE(name + " " + std::to_string(at));
    const std::string good = TextOf(scratch_ / name);
    Damage(name, at);
    FakeS3 s3;
    const Status status = Push(s3);
    EXPECT_EQ(status.code(), StatusCode::kDataLoss) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("'default/m:v1'"));
    for (const auto& [key, object] : s3.objects()) {
      EXPECT_EQ(key.find(fs::path(name).filename()), std::string::npos) << key;
      EXPECT_EQ(key.find("trims.json"), std::string::npos);
    }
    scratch_.Write(name, good);
  }
}

TEST_F(PushToBucketTest, AnIndexOfAnotherLengthIsDamaged) {
  scratch_.Write("prepared/tensors-01/index", kIndex + "!");
  FakeS3 s3;
  EXPECT_EQ(Push(s3).code(), StatusCode::kDataLoss);
}

TEST_F(PushToBucketTest, AMissingFileIsSaidBeforeAnybodyIsAsked) {
  fs::remove(scratch_ / "prepared/tensors-01/deep/made");
  FakeS3 s3;
  EXPECT_EQ(Push(s3).code(), StatusCode::kNotFound);
  EXPECT_TRUE(s3.requests().empty());
}

TEST_F(PushToBucketTest, GivenUpItLeavesNoManifest) {
  CancelToken cancel;
  FakeS3 s3([&cancel](const OriginRequest& request) -> std::optional<OriginReply> {
    if (request.method == "PUT") cancel.Cancel();
    return std::nullopt;
  });
  EXPECT_EQ(Push(s3, &cancel).code(), StatusCode::kCancelled);
  EXPECT_FALSE(s3.objects().contains("models/m/trims.json"));
}

TEST_F(PushToBucketTest, BytesThatChangeBetweenTwoReadingsAreNoticed) {
  ImageChecker checker(images_[0], scratch_ / "prepared");
  const FileOfVariant file{PieceOrigin::kSource, "w.bin"};
  std::string read = kWeights.substr(0, 5 << 20);
  EXPECT_TRUE(checker.Check(file, 0, BytesOf(read)).ok());
  read[0] ^= 1;  // of the header, which nobody reads
  EXPECT_TRUE(checker.Check(file, 0, BytesOf(read)).ok());
  read[kHeader] ^= 1;
  EXPECT_EQ(checker.Check(file, 0, BytesOf(read)).code(), StatusCode::kDataLoss);
  EXPECT_TRUE(checker.Check({PieceOrigin::kSource, "other"}, 0, BytesOf(read)).ok());
}

}  // namespace
}  // namespace trims::test
