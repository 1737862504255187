// CheckIndex: whether bytes are a well-formed index (wire/index.fbs) of extents of these lengths.
//
// Thread-safety: a pure function.
#ifndef TRIMS_WIRE_INDEX_CHECK_H_
#define TRIMS_WIRE_INDEX_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "trims/status.h"

namespace trims::wire {

// Checks everything that a client relies on without looking: FlatBuffers structure, version,
// extents at their places and of the given lengths, every tensor and file inside one extent, shape
// × dtype == length, names unique, non-empty and sorted. INVALID_ARGUMENT says what is wrong. Takes
// time in proportion to the index; the daemon calls it once, off the loop.
Status CheckIndex(std::span<const std::byte> index, std::span<const uint64_t> extent_lengths);

}  // namespace trims::wire

#endif  // TRIMS_WIRE_INDEX_CHECK_H_
