// What the daemon says of a model whose only file it has hashed while that came: not the preparer's words, and of
// nothing else.
#include "ingest/landed.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "support/content.h"
#include "support/manager_fakes.h"

namespace trims::test {
namespace {

constexpr uint64_t kLength = 5'000'000;

class RecordLandedTest : public ::testing::Test {
 protected:
  // As trims-prepare says it without digests, once the file was adopted.
  Manifest Undigested() const {
    ManifestVariant variant = MakeVariant(Variant::kFiles, 1);
    variant.extents = {{.length = kLength,
                        .xxh3 = std::vector<uint64_t>(ChunkCount(kLength)),
                        .pieces = {{PieceOrigin::kPrepared, "source/w.bin", 0, kLength, 0}}}};
    Manifest manifest = MakeManifest(Digest('0'), {variant});
    manifest.files = {{.name = "w.bin", .length = kLength, .sha256 = Digest('0')}};
    return manifest;
  }

  Landed landed_{.name = "w.bin",
                 .length = kLength,
                 .content = {.sha256 = Digest('a'),
                             .digests = {.sha256 = Digest('b'), .xxh3 = {1, 2}},
                             .extent = {}},
                 .room = {}};
};

TEST_F(RecordLandedTest, DigestsAreThoseOfWhatCame) {
  Manifest manifest = Undigested();
  const Status status = RecordLanded(landed_, &manifest);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(manifest.digest, Digest('a'));
  EXPECT_EQ(manifest.files.front().sha256, Digest('a'));
  EXPECT_EQ(manifest.variants.front().extents.front().sha256, Digest('b'));
  EXPECT_EQ(manifest.variants.front().extents.front().xxh3, (std::vector<uint64_t>{1, 2}));
  EXPECT_TRUE(CheckDigested(manifest).ok());
}

TEST_F(RecordLandedTest, AManifestOfAnythingElseIsRefused) {
  const auto refused = [this](const std::function<void(Manifest*)>& change) {
    Manifest manifest = Undigested();
    change(&manifest);
    return RecordLanded(landed_, &manifest).code() == StatusCode::kInternal;
  };
  const auto piece_of = [](Manifest* manifest) -> ManifestPiece& {
    return manifest->variants.front().extents.front().pieces.front();
  };
  EXPECT_TRUE(refused([](Manifest* manifest) { manifest->files.front().name = "v.bin"; }));
  EXPECT_TRUE(refused([](Manifest* manifest) { manifest->files.front().length = 1; }));
  EXPECT_TRUE(refused([](Manifest* manifest) { manifest->files.push_back({}); }));
  EXPECT_TRUE(refused([](Manifest* manifest) { manifest->variants.push_back({}); }));
  EXPECT_TRUE(
      refused([](Manifest* manifest) { manifest->variants.front().extents.push_back({}); }));
  EXPECT_TRUE(refused([&](Manifest* manifest) { piece_of(manifest).offset = 1; }));
  EXPECT_TRUE(refused([&](Manifest* manifest) { piece_of(manifest).at = 1; }));
  EXPECT_TRUE(refused([&](Manifest* manifest) { piece_of(manifest).length = 1; }));
  EXPECT_TRUE(refused([&](Manifest* manifest) { piece_of(manifest).path = "source/v.bin"; }));
  EXPECT_TRUE(refused(
      [](Manifest* manifest) { manifest->variants.front().extents.front().pieces.clear(); }));
}

TEST_F(RecordLandedTest, OfAnotherImageNothingIsTaken) {
  Manifest manifest = Undigested();
  ASSERT_TRUE(RecordLanded(landed_, &manifest).ok());
  const ImagePtr image = MakeImages(manifest, "default/m", "v1").front();
  landed_.content.digests.sha256 = Digest('c');
  EXPECT_EQ(TakeLanded(*image, "/nowhere", &landed_).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace trims::test
