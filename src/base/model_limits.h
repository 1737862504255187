// How large a model and its parts may be: the numbers that whoever writes, checks, loads or maps
// one agrees on. What a control message may hold is in wire/protocol.h.
//
// Raising one is compatible with what is on disk; lowering one makes models unreadable.
#ifndef TRIMS_BASE_MODEL_LIMITS_H_
#define TRIMS_BASE_MODEL_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace trims {

// Of a file, an extent, a segment. Far above any machine's memory, and far below where sums over a
// whole manifest could overflow.
inline constexpr uint64_t kMaxModelBytes = uint64_t{1} << 46;

// A FlatBuffer ends at 2 GiB; an index takes half of that.
inline constexpr uint64_t kMaxIndexBytes = uint64_t{1} << 30;

inline constexpr size_t kMaxModelFiles = 100'000;
inline constexpr size_t kMaxPathBytes = 4096;
inline constexpr size_t kMaxSourceBytes = 3 * kMaxPathBytes + 16;  // a URL: a path, escaped
inline constexpr size_t kMaxTensorRank = 32;                       // dimensions

}  // namespace trims

#endif  // TRIMS_BASE_MODEL_LIMITS_H_
