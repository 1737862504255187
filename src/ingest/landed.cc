#include "ingest/landed.h"

#include <utility>
#include <vector>

#include "base/macros.h"
#include "load/image_files.h"
#include "load/read_index.h"

namespace trims {
namespace {

// The extent that is the file and nothing else; nullptr: there is no such.
ManifestExtent* ExtentOf(const Landed& landed, Manifest* manifest) {
  const bool one = manifest->files.size() == 1 && manifest->variants.size() == 1 &&
                   manifest->variants.front().extents.size() == 1;
  if (!one) return nullptr;
  ManifestExtent& extent = manifest->variants.front().extents.front();
  const ManifestFile& file = manifest->files.front();
  if (file.name != landed.name || file.length != landed.length || extent.pieces.size() != 1)
    return nullptr;
  const ManifestPiece& piece = extent.pieces.front();
  const bool whole = extent.length == landed.length && piece.length == landed.length &&
                     piece.offset == 0 && piece.at == 0;
  return whole && piece.path.ends_with("/" + landed.name) ? &extent : nullptr;
}

}  // namespace

Status RecordLanded(const Landed& landed, Manifest* manifest) {
  ManifestExtent* extent = ExtentOf(landed, manifest);
  if (extent == nullptr) {
    return Status(StatusCode::kInternal,
                  "trims-prepare made something else than the one file '" + landed.name + "'");
  }
  manifest->files.front().sha256 = landed.content.sha256;
  manifest->digest = ModelDigest(manifest->files);
  extent->sha256 = landed.content.digests.sha256;
  extent->xxh3 = landed.content.digests.xxh3;
  return Status();
}

Result<ResidentBytes> TakeLanded(const Image& image, const std::string& prepared_root,
                                 Landed* landed) {
  const std::vector<ManifestExtent>& extents = image.variant.extents;
  if (extents.size() != 1 || extents.front().sha256 != landed->content.digests.sha256) {
    return Status(StatusCode::kDataLoss,
                  "'" + image.reference + "' is not what was downloaded for it");
  }
  ImageFiles files(image, prepared_root);
  TRIMS_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, ReadIndex(image, &files));
  TRIMS_ASSIGN_OR_RETURN(SealedExtent index, SealIndex(image, bytes));
  ResidentBytes resident;
  resident.index = HandleOf(std::move(index));
  resident.extents.push_back(std::move(landed->content.extent));
  return resident;
}

}  // namespace trims
