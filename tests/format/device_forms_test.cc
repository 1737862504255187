#include "format/device_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace trims {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kBlockBytes = 2 * kMiB;

// A page of a part, by its key, extent and number.
using PageOfPart = std::tuple<std::string, uint32_t, uint64_t>;

ManifestVariant VariantOf(char digit, const std::vector<uint64_t>& lengths) {
  ManifestVariant variant;
  variant.folder = std::string("files-") + digit;
  variant.index_path = "index";
  variant.index_length = 100;
  variant.index_sha256 = std::string(64, digit);
  variant.granularity = Granularity::kBlock;
  for (const uint64_t length : lengths) {
    variant.extents.push_back({.length = length, .sha256 = std::string(64, digit), .pieces = {}});
  }
  return variant;
}

ImagePtr ImageOf(const ManifestVariant& variant) {
  Manifest manifest;
  manifest.variants = {variant};
  return MakeImages(manifest, "default/" + variant.folder, "v1").front();
}

// Of its own `own` bytes, and of `base` what the runs say.
ManifestVariant TuneOf(char digit, uint64_t own, const ManifestVariant& base,
                       std::vector<ManifestRun> runs) {
  ManifestVariant variant = VariantOf(digit, {own});
  variant.borrowed = {base};
  variant.runs = std::move(runs);
  variant.lengths = {0};
  for (const ManifestRun& run : variant.runs) variant.lengths.front() += run.length;
  return variant;
}

void AppendPages(const std::string& key, uint32_t extent, uint64_t offset, uint64_t length,
                 std::vector<PageOfPart>* pages) {
  for (uint64_t at = 0; at < length; at += 4096) pages->push_back({key, extent, offset + at});
}

// What is in the range, page by page.
std::vector<PageOfPart> PagesOf(const ImagePtr& image) {
  std::vector<PageOfPart> pages;
  for (const ManifestRun& run : image->variant.runs) {
    AppendPages(image->parts[run.part]->key, run.extent, run.offset, run.length, &pages);
  }
  if (!image->variant.runs.empty()) return pages;
  for (uint32_t i = 0; i < image->variant.extents.size(); ++i) {
    AppendPages(image->key, i, 0, image->variant.extents[i].length, &pages);
  }
  return pages;
}

std::vector<PageOfPart> PagesOfForm(const Image& form) {
  std::vector<PageOfPart> pages;
  for (const ManifestRun& run : form.variant.runs) {
    const Image& piece = *form.parts[run.part];
    for (const ImageSlice& slice : piece.slices) {
      AppendPages(PartsOf(piece.from)[slice.part]->key, slice.extent, slice.offset, slice.length,
                  &pages);
    }
  }
  return pages;
}

std::vector<uint64_t> LengthsOf(const Image& form) {
  std::vector<uint64_t> lengths;
  for (const ManifestRun& run : form.variant.runs) lengths.push_back(run.length);
  return lengths;
}

// What a device can map: each run a whole allocation, that begins at a granule of its extent.
void ExpectCanBeMapped(const ImagePtr& image, const Image& form, const DeviceFormOptions& options) {
  EXPECT_EQ(PagesOfForm(form), PagesOf(image));
  EXPECT_EQ(form.variant.lengths, image->variant.RangeLengths());
  EXPECT_LE(form.parts.size(), options.most_pieces + 1);
  size_t run = 0;
  for (const uint64_t length : form.variant.lengths) {
    uint64_t at = 0;
    for (; at < length; ++run) {
      const ManifestRun& here = form.variant.runs.at(run);
      const Image& piece = *form.parts.at(here.part);
      EXPECT_EQ(at % options.granule, 0u);
      EXPECT_EQ(here.extent, 0u);
      EXPECT_EQ(here.offset, 0u);
      EXPECT_EQ(here.length, piece.variant.ExtentBytes());
      at += here.length;
    }
    EXPECT_EQ(at, length);
  }
  EXPECT_EQ(run, form.variant.runs.size());
  uint64_t footprint = 0;
  for (const ImagePtr& part : form.parts) footprint += part->footprint;
  EXPECT_EQ(form.footprint, footprint);
}

uint64_t CommonBytes(const Image& one, const Image& other) {
  std::set<std::string> keys;
  for (const ImagePtr& part : one.parts) keys.insert(part->key);
  uint64_t bytes = 0;
  for (const ImagePtr& part : other.parts) {
    if (keys.contains(part->key)) bytes += part->variant.ExtentBytes();
  }
  return bytes;
}

// All that have one, by the image's key.
std::map<std::string, ImagePtr> FormsOf(const std::vector<ImagePtr>& sharing,
                                        const DeviceFormOptions& options) {
  DeviceForms forms(options);
  EXPECT_TRUE(forms.SetSharing(sharing).empty()) << "none was made before";
  std::map<std::string, ImagePtr> made;
  for (const ImagePtr& image : sharing) {
    if (forms.IsCut(*image)) made.emplace(image->key, forms.Of(image));
  }
  return made;
}

class DeviceFormsTest : public ::testing::Test {
 protected:
  const ManifestVariant base_variant_ = VariantOf('a', {10 * kBlockBytes + 100});
  // Its fourth block is another, and so is the end.
  const ManifestVariant tune_variant_ = TuneOf('b', kBlockBytes + 100, base_variant_,
                                               {{1, 0, 0, 3 * kBlockBytes},
                                                {0, 0, 0, kBlockBytes},
                                                {1, 0, 4 * kBlockBytes, 6 * kBlockBytes},
                                                {0, 0, kBlockBytes, 100}});
  const ImagePtr base_ = ImageOf(base_variant_);
  const ImagePtr tune_ = ImageOf(tune_variant_);
  const DeviceFormOptions options_{.granule = kBlockBytes};
};

TEST_F(DeviceFormsTest, WhatTwoHaveLiesInPiecesOfBoth) {
  const std::vector<ImagePtr> sharing = {base_, tune_};
  const auto forms = FormsOf(sharing, options_);
  const Image& base = *forms.at(base_->key);
  const Image& tune = *forms.at(tune_->key);
  ExpectCanBeMapped(base_, base, options_);
  ExpectCanBeMapped(tune_, tune, options_);
  EXPECT_THAT(LengthsOf(base), ElementsAre(3 * kBlockBytes, kBlockBytes, 6 * kBlockBytes, 100));
  EXPECT_THAT(LengthsOf(tune), ElementsAre(3 * kBlockBytes, kBlockBytes, 6 * kBlockBytes, 100));
  EXPECT_EQ(CommonBytes(base, tune), 9 * kBlockBytes);
  EXPECT_EQ(tune.footprint, 4096 + 11 * kBlockBytes)
      << "an index, and the end in a block of its own";
  EXPECT_EQ(tune.key, tune_->key);
  EXPECT_EQ(tune.reference, tune_->reference);
  EXPECT_EQ(tune.parts.front()->from, tune_->parts.front()) << "its index is its own part's";
  EXPECT_TRUE(tune.parts.front()->slices.empty());
}

TEST_F(DeviceFormsTest, WhatNobodyCutsHasNone) {
  const std::vector<ImagePtr> sharing = {base_,
                                         ImageOf(VariantOf('c', {kBlockBytes, kBlockBytes}))};
  EXPECT_TRUE(FormsOf(sharing, options_).empty());
}

TEST_F(DeviceFormsTest, ASecondTuneCutsWhatTheFirstHasToo) {
  const ImagePtr second = ImageOf(TuneOf('c', kBlockBytes, base_variant_,
                                         {{1, 0, 0, 2 * kBlockBytes},
                                          {0, 0, 0, kBlockBytes},
                                          {1, 0, 3 * kBlockBytes, 7 * kBlockBytes}}));
  const std::vector<ImagePtr> after = {base_, tune_, second};
  const auto forms = FormsOf(after, options_);
  const Image& tune = *forms.at(tune_->key);
  EXPECT_THAT(LengthsOf(tune),
              ElementsAre(2 * kBlockBytes, kBlockBytes, kBlockBytes, 6 * kBlockBytes, 100));
  EXPECT_EQ(CommonBytes(tune, *forms.at(second->key)), 8 * kBlockBytes);
  EXPECT_EQ(CommonBytes(*forms.at(base_->key), *forms.at(second->key)), 9 * kBlockBytes);
}

TEST_F(DeviceFormsTest, AFormIsMadeWhenItIsAskedForAndHoldsAsLongAsNothingCutsItOtherwise) {
  DeviceForms forms(options_);
  EXPECT_EQ(forms.Of(tune_), tune_) << "of models that it knows";
  forms.SetSharing(std::vector{base_, tune_});
  EXPECT_EQ(forms.made(), 0u);
  EXPECT_EQ(forms.MadeOf(tune_), tune_);
  const ImagePtr tune = forms.Of(tune_);
  EXPECT_EQ(forms.made(), 1u);
  EXPECT_EQ(forms.Of(tune_), tune);
  EXPECT_EQ(forms.MadeOf(tune_), tune);
  for (const ImagePtr& piece : tune->parts) EXPECT_TRUE(forms.HasPiece(piece->key));

  const ImagePtr alike = ImageOf(TuneOf('c', kBlockBytes, base_variant_,
                                        {{1, 0, 0, 3 * kBlockBytes},
                                         {0, 0, 0, kBlockBytes},
                                         {1, 0, 4 * kBlockBytes, 6 * kBlockBytes}}));
  EXPECT_TRUE(forms.SetSharing(std::vector{base_, tune_, alike}).empty()) << "cuts nothing anew";
  EXPECT_EQ(forms.Of(tune_), tune);
  const ImagePtr of_alike = forms.Of(alike);
  EXPECT_EQ(of_alike->parts[1], tune->parts[1]) << "the same piece";

  const ImagePtr otherwise = ImageOf(TuneOf('d', kBlockBytes, base_variant_,
                                            {{1, 0, 0, 2 * kBlockBytes}, {0, 0, 0, kBlockBytes}}));
  const std::vector<ImagePtr> gone = forms.SetSharing(std::vector{base_, tune_, alike, otherwise});
  EXPECT_THAT(gone, ::testing::UnorderedElementsAre(tune, of_alike));
  EXPECT_EQ(forms.Of(tune_)->parts.size(), tune->parts.size() + 1);
  EXPECT_FALSE(forms.HasPiece(tune->parts[1]->key));
  EXPECT_TRUE(forms.HasPiece(tune->parts[2]->key)) << "its own, as before";
}

TEST_F(DeviceFormsTest, WhatGoesTakesItsCutsAndItsForm) {
  DeviceForms forms(options_);
  forms.SetSharing(std::vector{base_, tune_});
  const ImagePtr base = forms.Of(base_);
  const ImagePtr tune = forms.Of(tune_);
  const std::vector<ImagePtr> gone = forms.SetSharing(std::vector{base_});
  EXPECT_THAT(gone, ::testing::UnorderedElementsAre(base, tune));
  EXPECT_EQ(forms.made(), 0u);
  EXPECT_EQ(forms.Of(base_), base_);
  EXPECT_EQ(forms.Of(tune_), tune_);
  EXPECT_FALSE(forms.HasPiece(base->parts[1]->key));
  EXPECT_THAT(forms.SetSharing({}), ::testing::IsEmpty());
  EXPECT_TRUE(forms.empty());
}

TEST_F(DeviceFormsTest, EqualContentUnderTwoNamesIsOneFormAndOutlivesEitherName) {
  Manifest manifest;
  manifest.variants = {tune_variant_};
  const ImagePtr other_name = MakeImages(manifest, "default/other", "v1").front();
  ASSERT_EQ(other_name->key, tune_->key);
  DeviceForms forms(options_);
  forms.SetSharing(std::vector{base_, tune_, other_name});
  const ImagePtr form = forms.Of(tune_);
  EXPECT_EQ(forms.Of(other_name), form);
  EXPECT_TRUE(forms.SetSharing(std::vector{base_, other_name}).empty());
  EXPECT_EQ(forms.Of(other_name)->reference, other_name->reference);
  for (const ImagePtr& piece : form->parts) EXPECT_TRUE(forms.HasPiece(piece->key));
}

TEST_F(DeviceFormsTest, WhatIsForgottenIsMadeAnew) {
  DeviceForms forms(options_);
  forms.SetSharing(std::vector{base_, tune_});
  const ImagePtr base = forms.Of(base_);
  const ImagePtr tune = forms.Of(tune_);
  forms.Forget([&](const Image& form) { return form.key == tune_->key; });
  EXPECT_EQ(forms.made(), 1u);
  EXPECT_TRUE(forms.HasPiece(base->parts[1]->key)) << "which both had";
  EXPECT_FALSE(forms.HasPiece(tune->parts[0]->key)) << "its index";
  EXPECT_THAT(LengthsOf(*forms.Of(tune_)), LengthsOf(*tune));
}

TEST_F(DeviceFormsTest, WithoutAGranuleAllLieAsTheyAre) {
  DeviceForms forms({.granule = 0});
  EXPECT_TRUE(forms.SetSharing(std::vector{base_, tune_}).empty());
  EXPECT_EQ(forms.Of(tune_), tune_);
  EXPECT_FALSE(forms.IsCut(*tune_));
}

// Made as the models come and go, or all at once: the same.
TEST_F(DeviceFormsTest, AnyOrderOfChangesGivesTheFormsOfWhatIsThere) {
  std::mt19937_64 random(11);
  std::vector<ImagePtr> models = {base_};
  for (int i = 0; i < 12; ++i) {
    std::vector<ManifestRun> runs;
    for (uint64_t at = 0, own = 0; at < 10;) {
      const uint64_t count = std::min(10 - at, 1 + random() % 4);
      const bool is_own = random() % 3 == 0;
      runs.push_back({is_own ? 0u : 1u, 0, (is_own ? own : at) * kBlockBytes, count * kBlockBytes});
      own += is_own ? count : 0;
      at += count;
    }
    models.push_back(
        ImageOf(TuneOf(static_cast<char>('b' + i), 10 * kBlockBytes, base_variant_, runs)));
  }
  DeviceForms forms(options_);
  for (int round = 0; round < 200; ++round) {
    std::vector<ImagePtr> sharing;
    for (const ImagePtr& model : models) {
      if (random() % 2 == 0) sharing.push_back(model);
    }
    forms.SetSharing(sharing);
    const auto expected = FormsOf(sharing, options_);
    for (const ImagePtr& model : models) {
      const auto form = expected.find(model->key);
      ASSERT_EQ(forms.IsCut(*model), form != expected.end()) << "round " << round;
      if (form == expected.end()) {
        ASSERT_EQ(forms.MadeOf(model), model);
      } else if (random() % 2 == 0) {
        ASSERT_EQ(LengthsOf(*forms.Of(model)), LengthsOf(*form->second)) << "round " << round;
      }
      if (form != expected.end() && forms.MadeOf(model) != model) {
        ASSERT_EQ(PagesOfForm(*forms.MadeOf(model)), PagesOf(model));
        ASSERT_EQ(LengthsOf(*forms.MadeOf(model)), LengthsOf(*form->second)) << "round " << round;
      }
    }
    forms.Forget([&](const Image&) { return random() % 4 == 0; });
  }
}

TEST_F(DeviceFormsTest, WhatAModelHasTwiceIsOnePart) {
  const ImagePtr twice =
      ImageOf(TuneOf('d', kBlockBytes, base_variant_,
                     {{1, 0, 0, kBlockBytes}, {0, 0, 0, kBlockBytes}, {1, 0, 0, kBlockBytes}}));
  const std::vector<ImagePtr> sharing = {base_, twice};
  const ImagePtr kept = FormsOf(sharing, options_).at(twice->key);
  const Image& form = *kept;
  ExpectCanBeMapped(twice, form, options_);
  EXPECT_EQ(form.parts.size(), 3u);
  EXPECT_EQ(form.variant.runs[0].part, form.variant.runs[2].part);
}

// The end of an own extent lies at a page of its part, and a run may lie at a page of the range.
TEST_F(DeviceFormsTest, NoPieceBeginsWhereNoneCanBeMapped) {
  const ImagePtr odd = ImageOf(TuneOf('e', kBlockBytes, base_variant_,
                                      {{0, 0, 0, 4096},
                                       {1, 0, 0, 3 * kBlockBytes - 4096},
                                       {1, 0, 4 * kBlockBytes, 2 * kBlockBytes}}));
  const std::vector<ImagePtr> sharing = {base_, tune_, odd};
  const auto forms = FormsOf(sharing, options_);
  for (const ImagePtr& image : sharing) ExpectCanBeMapped(image, *forms.at(image->key), options_);
  const Image& form = *forms.at(odd->key);
  ASSERT_EQ(form.parts.size(), 3u);
  EXPECT_EQ(form.parts[1]->slices.size(), 2u);
  EXPECT_EQ(form.parts[1]->from->parts.size(), 2u) << "brought from both parts";
}

TEST_F(DeviceFormsTest, ALargerGranuleCutsLess) {
  const std::vector<ImagePtr> sharing = {base_, tune_};
  const DeviceFormOptions options{.granule = 4 * kMiB};
  const auto forms = FormsOf(sharing, options);
  for (const ImagePtr& image : sharing) ExpectCanBeMapped(image, *forms.at(image->key), options);
}

TEST_F(DeviceFormsTest, WhatNeedsMoreThanAnOpenMaySendHasLongerPiecesInstead) {
  std::vector<ManifestRun> runs;
  for (uint64_t i = 0; i < 10; ++i)
    runs.push_back({i % 2 == 0 ? 1u : 0u, 0, i * kBlockBytes, kBlockBytes});
  const ImagePtr mixed = ImageOf(TuneOf('f', 10 * kBlockBytes, base_variant_, runs));
  const std::vector<ImagePtr> sharing = {base_, mixed};
  const auto all = FormsOf(sharing, options_);
  EXPECT_EQ(all.at(mixed->key)->parts.size(), 11u);
  EXPECT_EQ(CommonBytes(*all.at(base_->key), *all.at(mixed->key)), 5 * kBlockBytes);
  for (const size_t most : {1, 2, 4, 9, 10}) {
    const DeviceFormOptions options{.granule = kBlockBytes, .most_pieces = most};
    const auto forms = FormsOf(sharing, options);
    for (const ImagePtr& image : sharing) ExpectCanBeMapped(image, *forms.at(image->key), options);
  }
}

TEST_F(DeviceFormsTest, AnyModelsCanBeMapped) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    const uint64_t blocks = 4 + random() % 40;
    const ManifestVariant base = VariantOf('a', {blocks * kBlockBytes + random() % 2 * 100});
    std::vector<ImagePtr> sharing = {ImageOf(base)};
    for (char digit = 'b'; digit < 'b' + static_cast<char>(1 + random() % 5); ++digit) {
      std::vector<ManifestRun> runs;
      uint64_t own = 0;
      for (uint64_t at = 0; at < blocks;) {
        const uint64_t count = std::min(blocks - at, 1 + random() % 6);
        if (random() % 3 == 0) {
          runs.push_back({0, 0, own, count * kBlockBytes});
          own += count * kBlockBytes;
        } else {
          runs.push_back(
              {1, 0, random() % (blocks - count + 1) * kBlockBytes, count * kBlockBytes});
        }
        at += count;
      }
      runs.push_back({0, 0, own, 5000});
      sharing.push_back(ImageOf(TuneOf(digit, own + 5000, base, runs)));
    }
    const DeviceFormOptions options{.granule = kBlockBytes << random() % 3,
                                    .most_pieces = 1 + random() % 40};
    const auto forms = FormsOf(sharing, options);
    for (const ImagePtr& image : sharing) {
      if (forms.contains(image->key)) {
        ExpectCanBeMapped(image, *forms.at(image->key), options);
      } else {
        EXPECT_TRUE(image->parts.empty());
      }
    }
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
}

TEST_F(DeviceFormsTest, WhatIsThereTwiceOrLeftEmptyIsWasted) {
  const std::vector<ImagePtr> sharing = {base_, tune_};
  const auto forms = FormsOf(sharing, options_);
  std::map<std::string, OnDevice> resident;
  for (const auto& [key, form] : forms) {
    for (const ImagePtr& part : form->parts) resident[part->key] = {part, part->footprint};
  }
  const auto wasted = [&] {
    std::vector<OnDevice> all;
    for (const auto& [key, one] : resident) all.push_back(one);
    return WastedBytes(all);
  };
  EXPECT_EQ(wasted(), 2 * (kBlockBytes - 100)) << "the end of each";
  resident["whole"] = {base_, base_->footprint};  // since before it was cut
  EXPECT_EQ(wasted(), 2 * (kBlockBytes - 100) + 10 * kBlockBytes + 100);
  EXPECT_EQ(WastedBytes({}), 0u);
}

}  // namespace
}  // namespace trims
