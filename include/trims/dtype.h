// DType: the element types of tensors.
#ifndef TRIMS_DTYPE_H_
#define TRIMS_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trims/export.h"

namespace trims {

// Values are part of the index format and of the C ABI: never renumbered. Names follow safetensors.
enum class DType : uint8_t {
  kUnknown = 0,
  kF32 = 1,
  kF64 = 2,
  kF16 = 3,
  kBF16 = 4,
  kI8 = 5,
  kU8 = 6,
  kI16 = 7,
  kU16 = 8,
  kI32 = 9,
  kU32 = 10,
  kI64 = 11,
  kU64 = 12,
  kBool = 13,
  kF8E4M3 = 14,
  kF8E5M2 = 15,
  kC64 = 16,
  kC128 = 17,
};

// Bytes of one element; 0 for kUnknown.
TRIMS_EXPORT size_t DTypeSize(DType dtype);

// "F32", "BF16", …; "UNKNOWN" for a value outside the enum.
TRIMS_EXPORT std::string_view DTypeName(DType dtype);

// kUnknown if there is no such name.
TRIMS_EXPORT DType DTypeFromName(std::string_view name);

}  // namespace trims

#endif  // TRIMS_DTYPE_H_
