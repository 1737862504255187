#include "load/read_index.h"

#include <memory>

#include "base/macros.h"
#include "base/sha256.h"
#include "wire/index_check.h"

namespace trims {

Result<std::vector<std::byte>> ReadIndex(const Image& image, ImageFiles* files,
                                         const std::string& hint) {
  const ManifestVariant& variant = image.variant;
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file,
                         files->Open(PieceOrigin::kPrepared, variant.index_path));
  if (file->size() != variant.index_length) {
    return Status(StatusCode::kDataLoss,
                  "the index of '" + image.reference + "', '" + file->name() + "', is " +
                      std::to_string(file->size()) + " bytes, expected " +
                      std::to_string(variant.index_length) + ": it changed since it was added",
                  hint);
  }
  std::vector<std::byte> bytes(variant.index_length);
  TRIMS_RETURN_IF_ERROR(file->ReadAt(0, bytes));
  if (Sha256Hex(bytes) == variant.index_sha256) return bytes;
  return Status(StatusCode::kDataLoss,
                "the index of '" + image.reference + "', '" + file->name() +
                    "', has not the digest that was recorded when it was added",
                hint);
}

Result<SealedExtent> SealIndex(const Image& image, std::span<const std::byte> bytes,
                               const std::string& hint) {
  const Status status = wire::CheckIndex(bytes, image.variant.RangeLengths());
  if (status.ok()) return SealedCopy(image.reference + ".index", bytes);
  return Status(StatusCode::kDataLoss,
                "the index of '" + image.reference + "' is damaged: " + status.message(), hint);
}

}  // namespace trims
