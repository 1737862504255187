// What an index may say of a tensor's type and length: one rule for who checks and who reads.
//
// Thread-safety: pure functions.
#ifndef TRIMS_WIRE_TENSOR_TYPE_H_
#define TRIMS_WIRE_TENSOR_TYPE_H_

#include <cstdint>
#include <string_view>

#include "trims/dtype.h"

#include "wire/index_generated.h"

namespace trims::wire {

inline constexpr size_t kMaxTypeNameBytes = 64;

// Printable ASCII, neither empty nor longer than kMaxTypeNameBytes.
inline bool IsTypeName(std::string_view name) {
  if (name.empty() || name.size() > kMaxTypeNameBytes) return false;
  for (const char c : name) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return true;
}

// The name of a type that trims/dtype.h doesn't have; empty for one that it has.
inline std::string_view OwnTypeName(const index::Tensor& tensor) {
  const auto* name = tensor.type_name();
  return name == nullptr ? std::string_view() : std::string_view(name->data(), name->size());
}

// A dtype of trims/dtype.h, or a name and none of those.
inline bool HasType(const index::Tensor& tensor) {
  if (tensor.dtype() == index::DType::Unknown) return IsTypeName(OwnTypeName(tensor));
  return DTypeBits(static_cast<DType>(tensor.dtype())) != 0 && OwnTypeName(tensor).empty();
}

// Whether its length is what type and shape make. A type that only has a name may have any.
inline bool HasRightLength(const index::Tensor& tensor) {
  if (tensor.dtype() == index::DType::Unknown) return true;
  uint64_t bits = DTypeBits(static_cast<DType>(tensor.dtype()));
  if (tensor.shape() != nullptr) {
    for (const uint64_t extent : *tensor.shape()) {
      if (__builtin_mul_overflow(bits, extent, &bits)) return false;
    }
  }
  return bits / 8 + (bits % 8 == 0 ? 0 : 1) == tensor.length();
}

}  // namespace trims::wire

#endif  // TRIMS_WIRE_TENSOR_TYPE_H_
