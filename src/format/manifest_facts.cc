// What a manifest comes to: lengths, sums, and what it is known by.
#include <algorithm>

#include "base/macros.h"
#include "base/mapping.h"
#include "format/manifest.h"

namespace trims {
namespace {

Status CheckDigested(const ManifestVariant& variant) {
  for (const ManifestExtent& extent : variant.extents) {
    if (!extent.sha256.empty()) continue;
    return Status(
        StatusCode::kFailedPrecondition,
        "an extent of the variant " + std::string(VariantName(variant.kind)) + " has no digest");
  }
  return Status();
}

}  // namespace

uint64_t ExtentFootprint(uint64_t length) { return AlignUp(length, kPageSize); }

uint64_t ManifestVariant::ExtentBytes() const {
  uint64_t total = 0;
  for (const ManifestExtent& extent : extents) total += extent.length;
  return total;
}

std::vector<uint64_t> ManifestVariant::RangeLengths() const {
  if (!lengths.empty()) return lengths;
  std::vector<uint64_t> all;
  for (const ManifestExtent& extent : extents) all.push_back(extent.length);
  return all;
}

std::map<std::string, uint64_t> ManifestVariant::FileLengths() const {
  std::map<std::string, uint64_t> lengths = {{index_path, index_length}};
  for (const ManifestExtent& extent : extents) {
    for (const ManifestPiece& piece : extent.pieces) {
      uint64_t& length = lengths[piece.path];
      length = std::max(length, piece.offset + piece.length);
    }
  }
  return lengths;
}

uint64_t ManifestVariant::FootprintBytes() const {
  uint64_t total = ExtentFootprint(index_length);
  for (const ManifestExtent& extent : extents) total += ExtentFootprint(extent.length);
  return total;
}

uint64_t Manifest::SourceBytes() const {
  uint64_t total = 0;
  for (const ManifestFile& file : files) total += file.length;
  return total;
}

Status CheckDigested(const Manifest& manifest) {
  for (const ManifestVariant& variant : manifest.variants) {
    TRIMS_RETURN_IF_ERROR(CheckDigested(variant));
    for (const ManifestVariant& part : variant.borrowed) {
      TRIMS_RETURN_IF_ERROR(CheckDigested(part));
    }
  }
  return Status();
}

std::string ModelDigest(const std::vector<ManifestFile>& files) {
  if (files.size() == 1) return files.front().sha256;
  std::vector<const ManifestFile*> sorted;
  for (const ManifestFile& file : files) sorted.push_back(&file);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  Sha256 hash;
  for (const ManifestFile* file : sorted) hash.Update(file->sha256 + "  " + file->name + "\n");
  return hash.FinishHex();
}

}  // namespace trims
