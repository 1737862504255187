#include "format/safetensors.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/macros.h"
#include "base/shown_name.h"
#include "format/safetensors_header.h"
#include "wire/tensor_type.h"

namespace trims {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;

Status Broken(std::string what) {
  return Status(StatusCode::kInvalidArgument, "safetensors: " + std::move(what));
}

Status BrokenTensor(const std::string& name, const std::string& what) {
  return Broken("tensor '" + ShownName(name) + "' " + what);
}

Result<uint64_t> ReadHeaderLength(const RandomAccess& file) {
  std::array<std::byte, kLengthBytes> bytes;
  TRIMS_RETURN_IF_ERROR(file.ReadAt(0, bytes));
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i)
    length |= uint64_t{std::to_integer<uint8_t>(bytes[i])} << 8 * i;
  if (length > kMaxHeaderBytes) {
    return Broken("a header of " + std::to_string(length) + " bytes: expected at most " +
                  std::to_string(kMaxHeaderBytes));
  }
  return length;
}

Result<std::string> ReadHeader(const RandomAccess& file, uint64_t length) {
  if (length > file.size() - kLengthBytes) {
    return Status(StatusCode::kDataLoss, "safetensors: truncated, expected a header of " +
                                             std::to_string(length) + " bytes, the file has " +
                                             std::to_string(file.size()));
  }
  std::string header(static_cast<size_t>(length), '\0');
  if (length > 0) {
    TRIMS_RETURN_IF_ERROR(file.ReadAt(kLengthBytes, std::as_writable_bytes(std::span(header))));
  }
  return header;
}

Status CheckSize(const SafetensorsHeader::Tensor& tensor, DType dtype) {
  uint64_t bits = 0;
  if (!tensor.elements ||
      __builtin_mul_overflow(*tensor.elements, uint64_t{DTypeBits(dtype)}, &bits)) {
    return BrokenTensor(tensor.name, "has a shape whose size overflows");
  }
  if (bits % 8 != 0) return BrokenTensor(tensor.name, "does not end with a whole byte");
  const uint64_t begin = tensor.data_offsets[0];
  const uint64_t end = tensor.data_offsets[1];
  if (end >= begin && end - begin == bits / 8) return Status();
  return BrokenTensor(tensor.name, "lies from " + std::to_string(begin) + " to " +
                                       std::to_string(end) + ": its shape makes " +
                                       std::to_string(bits / 8) + " bytes");
}

Status CheckOffsets(const SafetensorsHeader::Tensor& tensor, uint64_t available) {
  const uint64_t end = tensor.data_offsets[1];
  if (end < tensor.data_offsets[0]) return BrokenTensor(tensor.name, "ends before it begins");
  if (end <= available) return Status();
  return Status(StatusCode::kDataLoss, "safetensors: truncated, tensor '" + ShownName(tensor.name) +
                                           "' ends at " + std::to_string(end) + " of " +
                                           std::to_string(available) + " bytes of data");
}

// `data` is where the tensors begin in the file, `available` how many bytes follow.
Result<TensorEntry> Resolve(SafetensorsHeader::Tensor tensor, uint64_t data, uint64_t available) {
  TensorEntry entry;
  entry.dtype = DTypeFromName(tensor.dtype);
  TRIMS_RETURN_IF_ERROR(CheckOffsets(tensor, available));
  if (entry.dtype == DType::kUnknown) {
    entry.type_name = std::move(tensor.dtype);
  } else {
    TRIMS_RETURN_IF_ERROR(CheckSize(tensor, entry.dtype));
  }
  entry.name = std::move(tensor.name);
  entry.shape = std::move(tensor.shape);
  entry.offset = data + tensor.data_offsets[0];
  entry.length = tensor.data_offsets[1] - tensor.data_offsets[0];
  return entry;
}

// Why an index can't have it, though the format can; nullptr: it can.
const char* WhyNot(const TensorEntry& entry) {
  if (!CheckTensorName(entry.name).ok()) return "without a usable name";
  if (entry.shape.size() > kMaxTensorRank) return "of too many dimensions";
  if (entry.dtype != DType::kUnknown && !TensorBytes(entry.dtype, entry.shape)) {
    return "without elements and of an absurd shape";
  }
  // Of a type without a size the product alone must not overflow.
  if (entry.dtype == DType::kUnknown && !TensorBytes(DType::kU8, entry.shape)) {
    return "of an unknown type and an absurd shape";
  }
  const bool named = entry.dtype != DType::kUnknown || wire::IsTypeName(entry.type_name);
  return named ? nullptr : "of a type without a plain name";
}

void LeaveOut(Safetensors* model) {
  std::erase_if(model->tensors, [model](const TensorEntry& entry) {
    const char* why = WhyNot(entry);
    if (why != nullptr) AddLeftOut(&model->left_out, entry.name, why);
    return why != nullptr;
  });
}

// Tensors without bytes may share an offset with what follows them.
bool LiesBefore(const TensorEntry& a, const TensorEntry& b) {
  return std::pair(a.offset, a.length) < std::pair(b.offset, b.length);
}

Status CheckContiguous(const std::vector<TensorEntry>& tensors, uint64_t data, uint64_t end) {
  uint64_t expected = data;
  for (const TensorEntry& tensor : tensors) {
    if (tensor.offset != expected) {
      return BrokenTensor(tensor.name, "begins at " + std::to_string(tensor.offset - data) +
                                           ", a hole or an overlap: expected " +
                                           std::to_string(expected - data));
    }
    expected = tensor.offset + tensor.length;
  }
  if (expected == end) return Status();
  return Broken("the last tensor ends at " + std::to_string(expected) +
                ": expected the file's end, " + std::to_string(end));
}

}  // namespace

Result<Safetensors> ReadSafetensors(const RandomAccess& file) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t length, ReadHeaderLength(file));
  TRIMS_ASSIGN_OR_RETURN(const std::string json, ReadHeader(file, length));
  TRIMS_ASSIGN_OR_RETURN(SafetensorsHeader header, ParseSafetensorsHeader(json));
  const uint64_t data = kLengthBytes + length;
  Safetensors model;
  model.metadata = std::move(header.metadata);
  model.tensors.reserve(header.tensors.size());
  for (SafetensorsHeader::Tensor& tensor : header.tensors) {
    TRIMS_ASSIGN_OR_RETURN(TensorEntry entry, Resolve(std::move(tensor), data, file.size() - data));
    model.tensors.push_back(std::move(entry));
  }
  std::sort(model.tensors.begin(), model.tensors.end(), LiesBefore);
  TRIMS_RETURN_IF_ERROR(CheckContiguous(model.tensors, data, file.size()));
  LeaveOut(&model);
  return model;
}

}  // namespace trims
