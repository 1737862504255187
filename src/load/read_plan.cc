#include "load/read_plan.h"

#include <algorithm>
#include <string>

#include "base/macros.h"

namespace trims {
namespace {

Status CheckPlace(const ManifestPiece& piece, uint64_t begin, uint64_t end) {
  if (piece.at >= begin && piece.at <= end && piece.length <= end - piece.at) return Status();
  return Status(StatusCode::kInvalidArgument,
                "a piece of " + std::to_string(piece.length) + " bytes at " +
                    std::to_string(piece.at) + " lies outside " + std::to_string(begin) + " to " +
                    std::to_string(end) + " of its extent",
                "add the model again");
}

void Cut(const ManifestPiece& piece, size_t extent, uint64_t chunk, std::vector<Read>* reads) {
  for (uint64_t done = 0; done < piece.length;) {
    const uint64_t at = piece.at + done;
    const uint64_t length = std::min(piece.length - done, chunk - at % chunk);
    reads->push_back({&piece, extent, piece.offset + done, at, length});
    done += length;
  }
}

}  // namespace

Result<std::vector<Read>> CutIntoReads(const ManifestVariant& variant, uint64_t chunk) {
  std::vector<Read> reads;
  for (size_t i = 0; i < variant.extents.size(); ++i) {
    uint64_t end = 0;
    for (const ManifestPiece& piece : variant.extents[i].pieces) {
      TRIMS_RETURN_IF_ERROR(CheckPlace(piece, end, variant.extents[i].length));
      Cut(piece, i, chunk, &reads);
      end = piece.at + piece.length;
    }
  }
  return reads;
}

}  // namespace trims
