// AlignOrtWeights: a model in ONNX Runtime's own format again, its weights at multiples of 64 bytes.
//
// ONNX Runtime writes them at multiples of 4, and a session computes with them where they lie: each load of
// 64 bytes then reads two cache lines, which costs networks of convolutions 2 %.
//
//   TRIMS_ASSIGN_OR_RETURN(const bool aligned, AlignOrtWeights(model, [&](auto piece) { return file.Append(piece); }));
//
// What ONNX Runtime copies when it makes a session (less than 128 bytes) stays where it is.
// Thread-safety: a function of its arguments. Source: the FlatBuffers project's description of its encoding.
#ifndef TRIMS_PREPARE_ORT_ALIGNMENT_H_
#define TRIMS_PREPARE_ORT_ALIGNMENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "trims/status.h"

namespace trims {

inline constexpr uint64_t kOrtWeightAlignment = 64;  // of a weight, from the beginning of the file
inline constexpr uint64_t kOrtWeightMinBytes = 128;  // of one that is aligned

// `sink` gets the file's pieces in order. False: they are aligned, and it got none. DATA_LOSS: malformed;
// UNIMPLEMENTED: a version of the format that has more in it; TOO_LARGE: it would pass 2 GiB; errors of `sink`.
Result<bool> AlignOrtWeights(std::span<const std::byte> model,
                             const std::function<Status(std::span<const std::byte>)>& sink);

}  // namespace trims

#endif  // TRIMS_PREPARE_ORT_ALIGNMENT_H_
