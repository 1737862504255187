#include "format/image.h"

#include <set>
#include <string_view>

#include "base/sha256.h"
#include "base/variants.h"

namespace trims {
namespace {

// Of the bytes that every load verifies, and of nothing that somebody merely says of them: the
// model's digest is computed in the preparer, and a single file's has no name in it.
std::string ContentDigest(const ManifestVariant& variant) {
  Sha256 hash;
  const auto add = [&hash](uint64_t length, const std::string& sha256) {
    hash.Update(std::to_string(length) + " " + sha256 + "\n");
  };
  add(variant.index_length, variant.index_sha256);
  for (const ManifestExtent& extent : variant.extents) add(extent.length, extent.sha256);
  return hash.FinishHex();
}

// Of what it has itself, and of where all of its bytes are.
std::string PutTogetherDigest(const ManifestVariant& variant) {
  Sha256 hash;
  hash.Update(ContentDigest(variant) + "\n");
  for (const uint64_t length : variant.lengths) hash.Update(std::to_string(length) + " ");
  for (const ManifestRun& run : variant.runs) {
    hash.Update("\n" + std::to_string(run.part) + " " + std::to_string(run.extent) + " " +
                std::to_string(run.offset) + " " + std::to_string(run.length));
  }
  for (const ManifestVariant& borrowed : variant.borrowed) {
    hash.Update("\n" + ContentDigest(borrowed));
  }
  return "parts-" + hash.FinishHex();
}

uint64_t FileBytesOf(const ManifestVariant& variant) {
  uint64_t bytes = 0;
  for (const auto& [path, length] : variant.FileLengths()) bytes += length;
  return bytes;
}

std::string KeyOf(const ManifestVariant& variant, const std::string& content) {
  return std::string(VariantName(variant.kind)) + "/" + variant.key + "/" + content;
}

// `model` has what is the same for all images of a model.
Image WholeOf(const Image& model, const ManifestVariant& variant) {
  Image image = model;
  image.kind = variant.kind;
  image.variant_key = variant.key;
  image.key = KeyOf(variant, ContentDigest(variant));
  image.footprint = variant.FootprintBytes();
  image.file_bytes = FileBytesOf(variant);
  image.variant = variant;
  return image;
}

// Of what the variant has itself, and of each that it borrows: once, whatever a manifest says.
std::vector<ImagePtr> MakeParts(const Image& model, const ManifestVariant& variant) {
  ManifestVariant own = variant;
  own.runs.clear();
  own.borrowed.clear();
  std::vector<ImagePtr> parts = {std::make_shared<const Image>(WholeOf(model, own))};
  for (const ManifestVariant& borrowed : variant.borrowed) {
    parts.push_back(std::make_shared<const Image>(WholeOf(model, borrowed)));
  }
  return parts;
}

Image ImageOf(const Image& model, const ManifestVariant& variant) {
  Image image = WholeOf(model, variant);
  if (variant.runs.empty()) return image;
  image.key = KeyOf(variant, PutTogetherDigest(variant));
  image.parts = MakeParts(model, variant);
  image.footprint = 0;
  std::set<std::string_view> seen;
  for (const ImagePtr& part : image.parts) {
    if (seen.insert(part->key).second) image.footprint += part->footprint;
  }
  return image;
}

}  // namespace

std::span<const ImagePtr> PartsOf(const ImagePtr& image) {
  return image->parts.empty() ? std::span(&image, 1) : std::span(image->parts);
}

std::vector<ImagePtr> MakeImages(const Manifest& manifest, const std::string& name,
                                 const std::string& version) {
  const Image model{.reference = name + ":" + version,
                    .digest = manifest.digest,
                    .variant_key = {},
                    .key = {},
                    .source = manifest.source,
                    .variant = {}};
  std::vector<ImagePtr> images;
  images.reserve(manifest.variants.size());
  for (const ManifestVariant& variant : manifest.variants) {
    images.push_back(std::make_shared<const Image>(ImageOf(model, variant)));
  }
  return images;
}

}  // namespace trims
