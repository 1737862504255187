// CutIntoReads: what has to be read to fill the extents of a variant.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<Read> reads, CutIntoReads(image.variant, 4 << 20));
//   for (const Read& read : reads) …;  // read.length bytes of the file read.piece->path
//
// Thread-safety: a pure function.
#ifndef TRIMS_LOAD_READ_PLAN_H_
#define TRIMS_LOAD_READ_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "trims/status.h"

#include "format/manifest.h"

namespace trims {

// Bytes of one file that lie side by side in it and in the extent.
struct Read {
  const ManifestPiece* piece = nullptr;  // whose file it is; borrowed
  size_t extent = 0;
  uint64_t offset = 0;  // in the file
  uint64_t at = 0;      // in the extent
  uint64_t length = 0;
};

// By extent, then by place: all of every piece and nothing else. None crosses a multiple of `chunk`
// bytes of its extent, so that all but the ends of pieces can be read past the page cache. The reads
// borrow the pieces of `variant`.
//
// Manifests were checked when they were read, but memory is written by what these say: a piece that
// lies outside its extent or over the one before it is INVALID_ARGUMENT here, too.
Result<std::vector<Read>> CutIntoReads(const ManifestVariant& variant, uint64_t chunk);

}  // namespace trims

#endif  // TRIMS_LOAD_READ_PLAN_H_
