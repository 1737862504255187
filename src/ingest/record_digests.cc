#include "ingest/record_digests.h"

#include <vector>

#include "base/macros.h"
#include "format/image.h"
#include "load/digest_variant.h"

namespace trims {
namespace {

Status Changed(const ManifestVariant& variant, size_t extent) {
  return Status(StatusCode::kFailedPrecondition,
                "extent " + std::to_string(extent) + " of the variant " +
                    std::string(VariantName(variant.kind)) +
                    " is not what was prepared: the files changed meanwhile",
                "run 'trims add' again when the files are complete");
}

}  // namespace

Status RecordVariantDigests(const Image& image, const std::string& incoming,
                            ManifestVariant* variant) {
  FillControl control;
  TRIMS_ASSIGN_OR_RETURN(const std::vector<ExtentDigests> digests,
                         DigestVariant(image, incoming, &control));
  for (size_t i = 0; i < digests.size(); ++i) {
    ManifestExtent& extent = variant->extents[i];
    if (extent.xxh3 != digests[i].xxh3) return Changed(*variant, i);
    extent.sha256 = digests[i].sha256;
  }
  return Status();
}

Status RecordDigests(const std::string& incoming, Manifest* manifest) {
  const std::vector<ImagePtr> images = MakeImages(*manifest, "the model", "new");
  for (size_t i = 0; i < images.size(); ++i) {
    TRIMS_RETURN_IF_ERROR(RecordVariantDigests(*images[i], incoming, &manifest->variants[i]));
  }
  return Status();
}

}  // namespace trims
