#include "format/manifest_runs.h"

#include <gtest/gtest.h>

#include <functional>

#include "format/image.h"
#include "format/shared_bytes.h"

namespace trims {
namespace {

constexpr uint64_t kBlock = kShareBlockBytes;

ManifestVariant Part(const std::string& digit, uint64_t length) {
  ManifestVariant part;
  part.granularity = Granularity::kBlock;
  part.folder = "files-" + std::string(32, digit[0]);
  part.index_path = "index";
  part.index_length = 10;
  part.index_sha256 = std::string(64, digit[0]);
  part.extents = {{.length = length,
                   .sha256 = std::string(64, digit[0]),
                   .xxh3 = std::vector<uint64_t>((length + 2 * kBlock - 1) / (2 * kBlock), 1),
                   .pieces = {{.path = "part", .length = length}},
                   .blocks = std::vector<Sha256::Digest>(length / kBlock)}};
  return part;
}

// A block of its own between two of four borrowed ones, and an end.
Manifest WithRuns() {
  ManifestVariant variant = Part("1", kBlock + 5);
  variant.lengths = {3 * kBlock + 5};
  variant.borrowed = {Part("2", 4 * kBlock)};
  variant.runs = {
      {1, 0, kBlock, kBlock}, {0, 0, 0, kBlock}, {1, 0, 3 * kBlock, kBlock}, {0, 0, kBlock, 5}};
  Manifest manifest;
  manifest.format = "files";
  manifest.source = "file:///m";
  manifest.files = {{.name = "m", .length = 9, .sha256 = std::string(64, '3')}};
  manifest.digest = ModelDigest(manifest.files);
  manifest.variants = {variant};
  return manifest;
}

TEST(ManifestRuns, ComeThrough) {
  const Result<Manifest> parsed = ParseManifest(ManifestToJson(WithRuns()));
  ASSERT_TRUE(parsed.ok()) << parsed.status().ToString();
  const ManifestVariant& variant = parsed->variants.front();
  EXPECT_EQ(variant.granularity, Granularity::kBlock);
  EXPECT_EQ(variant.runs, WithRuns().variants.front().runs);
  EXPECT_EQ(variant.lengths, WithRuns().variants.front().lengths);
  ASSERT_EQ(variant.borrowed.size(), 1u);
  EXPECT_EQ(variant.borrowed.front().extents.front().blocks.size(), 4u);
  EXPECT_EQ(variant.borrowed.front().folder, "files-" + std::string(32, '2'));
}

TEST(ManifestRuns, AReleaseThatKnowsNoneRefusesThem) {
  Manifest manifest = WithRuns();
  EXPECT_NE(ManifestToJson(manifest).find("\"version\": 4"), std::string::npos);
  manifest.variants.front() = Part("1", kBlock);
  EXPECT_NE(ManifestToJson(manifest).find("\"version\": 3"), std::string::npos);
}

TEST(ManifestRuns, ThoseThatLeadAstrayAreRefused) {
  const std::function<void(ManifestVariant*)> kWrong[] = {
      [](auto* variant) { variant->runs[0].part = 2; },
      [](auto* variant) { variant->runs[0].extent = 1; },
      [](auto* variant) { variant->runs[0].offset = 4 * kBlock; },
      [](auto* variant) { variant->runs[0].offset = UINT64_MAX - 4095; },
      [](auto* variant) { variant->runs[0].offset = 1; },
      [](auto* variant) { variant->runs[0].length = 0; },
      [](auto* variant) { variant->runs[0].length = UINT64_MAX; },
      [](auto* variant) { variant->runs[0].length -= 1; },
      [](auto* variant) { variant->runs.pop_back(); },
      [](auto* variant) {
        variant->runs.push_back({0, 0, 0, 1});
      },
      [](auto* variant) { variant->lengths.clear(); },
      [](auto* variant) { variant->lengths.front() += 1; },
      [](auto* variant) {
        variant->borrowed.front().remote = ManifestRemote{"s3://b", "f"};
      },
      [](auto* variant) {
        variant->borrowed.front().extents.front().pieces.front().origin = PieceOrigin::kSource;
      },
      [](auto* variant) { variant->borrowed.assign(kMaxBorrowed + 1, Part("2", 4 * kBlock)); },
  };
  EXPECT_TRUE(CheckRuns(WithRuns().variants.front()).ok());
  for (size_t i = 0; i < std::size(kWrong); ++i) {
    ManifestVariant variant = WithRuns().variants.front();
    kWrong[i](&variant);
    EXPECT_EQ(CheckRuns(variant).code(), StatusCode::kInvalidArgument) << i;
  }
}

TEST(ManifestRuns, AStrangersWordOfSharingCountsForNothing) {
  Manifest manifest = WithRuns();
  EXPECT_EQ(DropSharing(&manifest).code(), StatusCode::kInvalidArgument);
  manifest.variants.front() = Part("1", kBlock);
  ASSERT_TRUE(DropSharing(&manifest).ok());
  EXPECT_EQ(manifest.variants.front().granularity, Granularity::kModel);
  EXPECT_TRUE(manifest.variants.front().extents.front().blocks.empty());
}

TEST(ManifestRuns, AnImageOfPartsHasOneForEach) {
  const ImagePtr whole = MakeImages(WithRuns(), "default/m", "1").front();
  ASSERT_EQ(whole->parts.size(), 2u);
  Manifest base = WithRuns();
  base.variants.front() = Part("2", 4 * kBlock);
  const ImagePtr alone = MakeImages(base, "default/base", "1").front();
  EXPECT_EQ(whole->parts[1]->key, alone->key);
  EXPECT_NE(whole->key, whole->parts[0]->key);
  EXPECT_EQ(whole->footprint, whole->parts[0]->footprint + alone->footprint);
  EXPECT_EQ(PartsOf(alone).front(), alone);
  EXPECT_EQ(SharedBytes(whole, alone), 2 * kBlock);
  EXPECT_EQ(SharedBytes(alone, whole), 2 * kBlock);
  EXPECT_EQ(MappedBytes(*whole), 3 * kBlock + 4096 + 4096);
  Manifest other = WithRuns();
  other.variants.front().runs[2].offset = 0;
  EXPECT_NE(MakeImages(other, "default/m", "1").front()->key, whole->key);
}

TEST(ManifestRuns, DigestsOfBlocksComeThrough) {
  std::vector<Sha256::Digest> blocks(2);
  blocks[1].fill(std::byte{0xa5});
  EXPECT_EQ(BlockDigestsFromHex(BlockDigestsToHex(blocks)).value(), blocks);
  EXPECT_FALSE(BlockDigestsFromHex("a5").ok());
  EXPECT_FALSE(BlockDigestsFromHex(std::string(64, 'G')).ok());
}

}  // namespace
}  // namespace trims
