// TensorEntry: where a tensor's bytes lie in a file, as a format's reader found and checked it.
#ifndef TRIMS_FORMAT_TENSOR_ENTRY_H_
#define TRIMS_FORMAT_TENSOR_ENTRY_H_

#include <cstdint>
#include <map>
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
  uint64_t offset = 0;    // in the file
  uint64_t length = 0;    // shape × dtype
  std::string type_name;  // where the dtype is kUnknown: the file's name of it; else empty
};

// The number of bytes of such a tensor, the last one perhaps not full; nothing where the bits don't
// fit into 64.
std::optional<uint64_t> TensorBytes(DType dtype, const std::vector<uint64_t>& shape);

// Whether its elements fill the last byte, which safetensors wants.
bool IsWholeBytes(DType dtype, const std::vector<uint64_t>& shape);

// INVALID_ARGUMENT: empty, too long, not UTF-8 or holding a NUL byte.
Status CheckTensorName(std::string_view name);

struct LeftOut {
  size_t count = 0;
  std::string names;  // the first few, for messages
};
using LeftOutTensors = std::map<std::string, LeftOut>;  // by reason

void AddLeftOut(LeftOutTensors* left_out, std::string_view name, const std::string& why);

}  // namespace trims

#endif  // TRIMS_FORMAT_TENSOR_ENTRY_H_
