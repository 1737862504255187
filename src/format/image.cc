#include "format/image.h"

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

uint64_t FileBytesOf(const ManifestVariant& variant) {
  uint64_t bytes = 0;
  for (const auto& [path, length] : variant.FileLengths()) bytes += length;
  return bytes;
}

}  // namespace

std::vector<ImagePtr> MakeImages(const Manifest& manifest, const std::string& name,
                                 const std::string& version) {
  std::vector<ImagePtr> images;
  images.reserve(manifest.variants.size());
  for (const ManifestVariant& variant : manifest.variants) {
    const std::string kind(VariantName(variant.kind));
    images.push_back(std::make_shared<const Image>(
        Image{.reference = name + ":" + version,
              .digest = manifest.digest,
              .kind = variant.kind,
              .variant_key = variant.key,
              .key = kind + "/" + variant.key + "/" + ContentDigest(variant),
              .footprint = variant.FootprintBytes(),
              .file_bytes = FileBytesOf(variant),
              .source = manifest.source,
              .variant = variant}));
  }
  return images;
}

}  // namespace trims
