#include "load/verify_image.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/macros.h"
#include "base/sha256.h"
#include "load/digest_variant.h"
#include "load/image_files.h"
#include "load/read_index.h"

namespace trims {
namespace {

Status Differs(const Image& image, const std::string& what) {
  return Status(StatusCode::kDataLoss,
                what + " of '" + image.reference +
                    "' has not the digest that was recorded when it was added");
}

}  // namespace

Status VerifyIndex(const Image& image, const std::string& prepared_root) {
  ImageFiles files(image, prepared_root);
  return ReadIndex(image, &files).status();
}

Status VerifyImage(const Image& image, const std::string& prepared_root, FillControl* control,
                   Pacer* pacer) {
  TRIMS_RETURN_IF_ERROR(VerifyIndex(image, prepared_root));
  TRIMS_ASSIGN_OR_RETURN(const std::vector<ExtentDigests> found,
                         DigestVariant(image, prepared_root, control, pacer));
  for (size_t i = 0; i < found.size(); ++i) {
    const ManifestExtent& recorded = image.variant.extents[i];
    const bool same = found[i].sha256 == recorded.sha256 && found[i].xxh3 == recorded.xxh3;
    if (!same) return Differs(image, "extent " + std::to_string(i));
  }
  return Status();
}

bool TellsOfDamage(const Status& status) {
  return status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kNotFound ||
         status.code() == StatusCode::kFailedPrecondition;
}

}  // namespace trims
