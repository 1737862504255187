#include "format/image.h"

#include "base/variants.h"

namespace trims {

std::vector<ImagePtr> MakeImages(const Manifest& manifest, const std::string& name,
                                 const std::string& version) {
  std::vector<ImagePtr> images;
  images.reserve(manifest.variants.size());
  for (const ManifestVariant& variant : manifest.variants) {
    const std::string kind(VariantName(variant.kind));
    images.push_back(
        std::make_shared<const Image>(Image{.reference = name + ":" + version,
                                            .digest = manifest.digest,
                                            .kind = variant.kind,
                                            .variant_key = variant.key,
                                            .key = manifest.digest + "/" + kind + "/" + variant.key,
                                            .footprint = variant.FootprintBytes(),
                                            .source = manifest.source,
                                            .variant = variant}));
  }
  return images;
}

}  // namespace trims
