#include "format/image.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

Manifest Example(const std::string& digest) {
  Manifest manifest;
  manifest.digest = digest;
  manifest.source = "file:///models/m";
  ManifestVariant files;
  files.index_length = 1;
  files.index_sha256 = "1";
  files.extents.push_back({.length = 4097, .sha256 = digest, .pieces = {}});
  ManifestVariant ort = files;
  ort.kind = Variant::kOrt;
  ort.key = "ort-1.32.0";
  manifest.variants = {files, ort};
  return manifest;
}

TEST(Image, IsMadeOfEachVariant) {
  const std::vector<ImagePtr> images = MakeImages(Example("d"), "default/m", "v1");
  ASSERT_EQ(images.size(), 2u);
  EXPECT_EQ(images[1]->reference, "default/m:v1");
  EXPECT_EQ(images[1]->digest, "d");
  EXPECT_EQ(images[1]->kind, Variant::kOrt);
  EXPECT_EQ(images[1]->variant_key, "ort-1.32.0");
  EXPECT_EQ(images[1]->footprint, 3u * 4096);
  EXPECT_EQ(images[1]->source, "file:///models/m");
  EXPECT_EQ(images[1]->variant.extents.size(), 1u);
}

TEST(Image, EqualContentHasTheSameKeyWhateverItsName) {
  const std::vector<ImagePtr> one = MakeImages(Example("d"), "default/m", "v1");
  const std::vector<ImagePtr> two = MakeImages(Example("d"), "other/name", "latest");
  const std::vector<ImagePtr> other = MakeImages(Example("e"), "default/m", "v1");
  EXPECT_EQ(one[0]->key, two[0]->key);
  EXPECT_NE(one[0]->key, one[1]->key);
  EXPECT_NE(one[0]->key, other[0]->key);
}

// What a preparer says of a model is not what a load verifies.
TEST(Image, TheModelsDigestAloneMakesNoEqualContent) {
  Manifest told = Example("d");
  const std::string key = MakeImages(told, "default/m", "v1")[0]->key;
  told.variants[0].extents[0].sha256 = "e";
  EXPECT_NE(MakeImages(told, "default/m", "v1")[0]->key, key);
  told = Example("d");
  told.variants[0].index_sha256 = "2";  // the same file under another name
  EXPECT_NE(MakeImages(told, "default/m", "v1")[0]->key, key);
  told = Example("d");
  told.variants[0].extents[0].length = 4096;
  EXPECT_NE(MakeImages(told, "default/m", "v1")[0]->key, key);
  told.digest = "e";
  told.variants = Example("d").variants;
  EXPECT_EQ(MakeImages(told, "default/m", "v1")[0]->key, key);
}

}  // namespace
}  // namespace trims
