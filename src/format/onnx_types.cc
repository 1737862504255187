// Element types of ONNX and the typed fields in which their values may be written.
#include <algorithm>
#include <iterator>

#include "base/macros.h"
#include "format/onnx_fields.h"
#include "format/onnx_tensor.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this layer

// Indexed by TensorProto.DataType.
constexpr const char* kNames[] = {
    "UNDEFINED",      "FLOAT",      "UINT8",          "INT8",       "UINT16",   "INT16",
    "INT32",          "INT64",      "STRING",         "BOOL",       "FLOAT16",  "DOUBLE",
    "UINT32",         "UINT64",     "COMPLEX64",      "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN",
    "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4",      "INT4",     "FLOAT4E2M1",
    "FLOAT8E8M0",     "UINT2",      "INT2",
};

Status Emit(ProtobufWindow& window, const ProtobufField& field, uint32_t number,
            const std::function<Status(uint64_t)>& use) {
  const size_t fixed = number == kTensorFloatData ? 4 : number == kTensorDoubleData ? 8 : 0;
  const WireType single = fixed == 4   ? WireType::kFixed32
                          : fixed == 8 ? WireType::kFixed64
                                       : WireType::kVarint;
  if (field.type == single) return use(field.value);
  if (!field.is_bytes()) return Status();  // to protocol buffers, an unknown field
  ProtobufReader packed(window, field.payload);
  while (!packed.AtEnd()) {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t value,
                           fixed == 0 ? packed.Varint() : packed.Fixed(fixed));
    TRIMS_RETURN_IF_ERROR(use(value));
  }
  return Status();
}

}  // namespace

std::string OnnxTypeName(int32_t type) {
  const auto value = static_cast<size_t>(type);
  return value < std::size(kNames) ? kNames[value] : "type " + std::to_string(type);
}

DType DTypeFromOnnx(int32_t type) {
  switch (type) {
    case kFloat:
      return DType::kF32;
    case kUint8:
      return DType::kU8;
    case kInt8:
      return DType::kI8;
    case kUint16:
      return DType::kU16;
    case kInt16:
      return DType::kI16;
    case kInt32:
      return DType::kI32;
    case kInt64:
      return DType::kI64;
    case kBool:
      return DType::kBool;
    case kFloat16:
      return DType::kF16;
    case kDouble:
      return DType::kF64;
    case kUint32:
      return DType::kU32;
    case kUint64:
      return DType::kU64;
    case kComplex64:
      return DType::kC64;
    case kComplex128:
      return DType::kC128;
    case kBfloat16:
      return DType::kBF16;
    case kFloat8E4M3FN:
      return DType::kF8E4M3;
    case kFloat8E5M2:
      return DType::kF8E5M2;
    case kFloat8E4M3FNUZ:
      return DType::kF8E4M3FNUZ;
    case kFloat8E5M2FNUZ:
      return DType::kF8E5M2FNUZ;
    case kFloat8E8M0:
      return DType::kF8E8M0;
    case kFloat4E2M1:
      return DType::kF4;
    case kUint4:
      return DType::kU4;
    case kInt4:
      return DType::kI4;
    case kUint2:
      return DType::kU2;
    case kInt2:
      return DType::kI2;
    default:
      return DType::kUnknown;
  }
}

uint32_t TypedFieldOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kC64:
      return kTensorFloatData;
    case DType::kF64:
    case DType::kC128:
      return kTensorDoubleData;
    case DType::kI64:
      return kTensorInt64Data;
    case DType::kU32:
    case DType::kU64:
      return kTensorUint64Data;
    case DType::kUnknown:
      return 0;
    default:
      return kTensorInt32Data;
  }
}

size_t TypedWidth(DType dtype) {
  const bool complex = dtype == DType::kC64 || dtype == DType::kC128;
  if (complex) return DTypeSize(dtype) / 2;
  return std::max<size_t>(DTypeSize(dtype), 1);  // 1: a byte of packed elements
}

Status ForEachTyped(ProtobufWindow& window, FileRange message, uint32_t number,
                    const std::function<Status(uint64_t)>& use) {
  ProtobufReader reader(window, message);
  for (;;) {
    TRIMS_ASSIGN_OR_RETURN(const std::optional<ProtobufField> field, reader.Next());
    if (!field) return Status();
    if (field->number == number) TRIMS_RETURN_IF_ERROR(Emit(window, *field, number, use));
  }
}

Status DecodeTyped(const RandomAccess& file, const OnnxTensor& tensor,
                   const std::function<Status(std::span<const std::byte>)>& use) {
  constexpr size_t kChunk = 64 * 1024;
  const size_t width = TypedWidth(tensor.entry.dtype);
  ProtobufWindow window(file);
  std::vector<std::byte> chunk;
  chunk.reserve(kChunk);
  const bool boolean = tensor.entry.dtype == DType::kBool;
  const auto append = [&](uint64_t value) -> Status {
    if (boolean) value = static_cast<uint32_t>(value) != 0 ? 1 : 0;
    for (size_t i = 0; i < width; ++i) chunk.push_back(static_cast<std::byte>(value >> 8 * i));
    if (chunk.size() + width <= kChunk) return Status();
    TRIMS_RETURN_IF_ERROR(use(chunk));
    chunk.clear();
    return Status();
  };
  TRIMS_RETURN_IF_ERROR(
      ForEachTyped(window, tensor.message, TypedFieldOf(tensor.entry.dtype), append));
  return chunk.empty() ? Status() : use(chunk);
}

}  // namespace trims
