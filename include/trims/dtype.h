// DType: the element types of tensors.
#ifndef TRIMS_DTYPE_H_
#define TRIMS_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trims/export.h"

namespace trims {

// Values are part of the index format and of the C ABI: never renumbered, only added. Names follow
// safetensors; U4, I4, U2 and I2 are ONNX's UINT4, INT4, UINT2 and INT2.
enum class DType : uint8_t {
  kUnknown = 0,  // a type that a file names and this header doesn't: TensorView::type_name
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
  kF4 = 18,  // E2M1; elements of less than a byte are packed, the first in the lowest bits
  kF6E2M3 = 19,
  kF6E3M2 = 20,
  kF8E8M0 = 21,
  kF8E4M3FNUZ = 22,
  kF8E5M2FNUZ = 23,
  kU4 = 24,
  kI4 = 25,
  kU2 = 26,
  kI2 = 27,
};

// Bytes of one element; 0 for kUnknown and for types of less than a byte, or of no whole ones.
TRIMS_EXPORT size_t DTypeSize(DType dtype);

// Bits of one element; 0 for kUnknown.
TRIMS_EXPORT size_t DTypeBits(DType dtype);

// "F32", "BF16", …; "UNKNOWN" for a value outside the enum.
TRIMS_EXPORT std::string_view DTypeName(DType dtype);

// kUnknown if there is no such name.
TRIMS_EXPORT DType DTypeFromName(std::string_view name);

}  // namespace trims

#endif  // TRIMS_DTYPE_H_
