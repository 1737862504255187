#include "format/manifest_runs.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/macros.h"
#include "base/mapping.h"
#include "wire/protocol.h"

namespace trims {
namespace {

constexpr size_t kDigits = 64;

Status Wrong(const std::string& what) { return Status(StatusCode::kInvalidArgument, what); }

Status CheckBorrowed(const ManifestVariant& part) {
  if (!part.runs.empty() || !part.borrowed.empty()) return Wrong("what is borrowed borrows itself");
  if (part.remote) return Wrong("what is borrowed lies elsewhere");
  for (const ManifestExtent& extent : part.extents) {
    for (const ManifestPiece& piece : extent.pieces) {
      if (piece.origin != PieceOrigin::kPrepared) return Wrong("what is borrowed is a source's");
    }
  }
  return Status();
}

Status CheckParts(const ManifestVariant& variant) {
  if (variant.lengths.empty()) return Wrong("runs without the lengths that they make");
  size_t extents = variant.extents.size();
  for (const ManifestVariant& part : variant.borrowed) {
    TRIMS_RETURN_IF_ERROR(CheckBorrowed(part));
    extents += part.extents.size();
  }
  if (variant.borrowed.size() <= kMaxBorrowed && extents <= wire::kMaxExtents) return Status();
  return Wrong("too many parts");
}

Status CheckRun(const ManifestVariant& variant, const ManifestRun& run) {
  if (run.part > variant.borrowed.size()) return Wrong("a run of no part");
  const ManifestVariant& part = run.part == 0 ? variant : variant.borrowed[run.part - 1];
  if (run.extent >= part.extents.size()) return Wrong("a run of no extent");
  const uint64_t length = part.extents[run.extent].length;
  const bool lies = run.length > 0 && run.offset <= length && run.length <= length - run.offset;
  if (!lies) return Wrong("a run beyond its extent");
  return run.offset % kPageSize == 0 ? Status() : Wrong("a run that begins at no page");
}

}  // namespace

Status CheckRuns(const ManifestVariant& variant) {
  if (variant.runs.empty()) {
    return variant.borrowed.empty() ? Status() : Wrong("borrows without runs");
  }
  TRIMS_RETURN_IF_ERROR(CheckParts(variant));
  size_t run = 0;
  for (const uint64_t length : variant.lengths) {
    for (uint64_t done = 0; done < length; ++run) {
      if (run == variant.runs.size()) return Wrong("runs that end too early");
      TRIMS_RETURN_IF_ERROR(CheckRun(variant, variant.runs[run]));
      if (done % kPageSize != 0) return Wrong("a run that is to lie at no page");
      if (variant.runs[run].length > length - done)
        return Wrong("a run beyond the extent it makes");
      done += variant.runs[run].length;
    }
  }
  return run == variant.runs.size() ? Status() : Wrong("runs that make nothing");
}

Status DropSharing(Manifest* manifest) {
  for (ManifestVariant& variant : manifest->variants) {
    if (!variant.runs.empty()) return Wrong("a variant that borrows from other models");
    if (!variant.lengths.empty()) return Wrong("a variant with lengths that are not its extents'");
    variant.granularity = Granularity::kModel;
    for (ManifestExtent& extent : variant.extents) extent.blocks.clear();
  }
  return Status();
}

std::string BlockDigestsToHex(std::span<const Sha256::Digest> blocks) {
  std::string hex;
  hex.reserve(blocks.size() * kDigits);
  for (const Sha256::Digest& block : blocks) hex += HexDigits(block);
  return hex;
}

Result<std::vector<Sha256::Digest>> BlockDigestsFromHex(std::string_view hex) {
  if (hex.size() % kDigits != 0) return Wrong("expected 64 digits for each block");
  std::vector<Sha256::Digest> blocks;
  blocks.reserve(hex.size() / kDigits);
  for (; !hex.empty(); hex.remove_prefix(kDigits)) {
    if (!IsSha256Hex(hex.substr(0, kDigits)))
      return Wrong("expected lower-case hexadecimal digits");
    Sha256::Digest& digest = blocks.emplace_back();
    for (size_t i = 0; i < digest.size(); ++i) {
      uint8_t byte = 0;
      std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, byte, 16);
      digest[i] = std::byte{byte};
    }
  }
  return blocks;
}

}  // namespace trims
