// TensorEntry: where a tensor's bytes lie in a file, as a format's reader found and checked it.
#ifndef TRIMS_FORMAT_TENSOR_ENTRY_H_
#define TRIMS_FORMAT_TENSOR_ENTRY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/dtype.h"
#include "trims/status.h"

#include "base/model_limits.h"

namespace trims {

// Bounds that every reader applies to what it is given, besides kMaxTensorRank; index and clients
// rely on them.
inline constexpr size_t kMaxTensorNameBytes = 4096;
inline constexpr size_t kMaxTensors = 4'000'000;

struct TensorEntry {
  std::string name;
  DType dtype = DType::kUnknown;
  std::vector<uint64_t> shape;
  uint64_t offset = 0;  // in the file
  uint64_t length = 0;  // shape × dtype
};

// The number of bytes of such a tensor; nothing where that doesn't fit into 63 bits.
std::optional<uint64_t> TensorBytes(DType dtype, const std::vector<uint64_t>& shape);

// INVALID_ARGUMENT: empty, too long, not UTF-8 or holding a NUL byte.
Status CheckTensorName(std::string_view name);

// At most 200 bytes of a name, control characters replaced, for messages.
std::string ShownName(std::string_view name);

}  // namespace trims

#endif  // TRIMS_FORMAT_TENSOR_ENTRY_H_
