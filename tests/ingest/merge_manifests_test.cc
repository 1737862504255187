#include "ingest/merge_manifests.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace trims {
namespace {

ImagePtr ImageOf(Variant kind, const std::string& precision) {
  Image image;
  image.kind = kind;
  image.variant.kind = kind;
  image.variant.precision = precision;
  return std::make_shared<const Image>(std::move(image));
}

Manifest Fresh(Variant kind, const std::string& precision) {
  Manifest manifest;
  manifest.variants.push_back({.kind = kind, .precision = precision});
  return manifest;
}

TEST(ImagesToKeep, WhatTheFreshOneHasNotStays) {
  const auto kept = ImagesToKeep({ImageOf(Variant::kOrt, ""), ImageOf(Variant::kFiles, "")},
                                 Fresh(Variant::kFiles, ""));
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0]->kind, Variant::kOrt);
}

// One reference would answer with one network by its `ort` and with another by its `files`.
TEST(ImagesToKeep, OfAnotherPrecisionNothingStays) {
  EXPECT_TRUE(ImagesToKeep({ImageOf(Variant::kOrt, "fp16")}, Fresh(Variant::kFiles, "")).empty());
  EXPECT_TRUE(ImagesToKeep({ImageOf(Variant::kOrt, "")}, Fresh(Variant::kFiles, "fp16")).empty());
  EXPECT_EQ(ImagesToKeep({ImageOf(Variant::kOrt, "fp16")}, Fresh(Variant::kFiles, "fp16")).size(),
            1U);
}

}  // namespace
}  // namespace trims
