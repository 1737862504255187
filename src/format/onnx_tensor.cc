#include "format/onnx_tensor.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/plain_path.h"
#include "base/shown_name.h"
#include "format/onnx_fields.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this layer

// With this location ONNX Runtime takes the offset for an address of its own memory.
constexpr std::string_view kMemoryLocation = "*/_ORT_MEM_ADDR_/*";

struct Parts {
  std::vector<uint64_t> dims;
  Status broken;  // the first of what is odd about the fields
  int32_t type = 0;
  std::string name;
  std::optional<FileRange> raw;
  bool external = false;
  bool two_locations = false;  // of external data
  std::map<std::string, std::string> external_data;
};

Status Broken(const Parts& parts, const std::string& what) {
  return Status(StatusCode::kInvalidArgument,
                "onnx: tensor '" + ShownName(parts.name) + "' " + what);
}

void Doubt(Status status, Parts* parts) {
  if (parts->broken.ok()) parts->broken = std::move(status);
}

void AddDim(uint64_t value, Parts* parts) {
  if (value > INT64_MAX) {
    Doubt(Broken(*parts, "has the dimension " + std::to_string(static_cast<int64_t>(value))),
          parts);
  }
  if (parts->dims.size() == kMaxTensorRank) {
    Doubt(Status(StatusCode::kUnimplemented,
                 "of more than " + std::to_string(kMaxTensorRank) + " dimensions"),
          parts);
    return;
  }
  parts->dims.push_back(value);
}

Status AddDims(ProtobufWindow& window, const ProtobufField& field, Parts* parts) {
  if (field.type == WireType::kVarint) AddDim(field.value, parts);
  if (!field.is_bytes()) return Status();
  ProtobufReader packed(window, field.payload);
  while (!packed.AtEnd()) {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t value, packed.Varint());
    AddDim(value, parts);
  }
  return Status();
}

Status AddExternalEntry(ProtobufWindow& window, FileRange message, Parts* parts) {
  std::string key;
  std::string value;
  TRIMS_RETURN_IF_ERROR(ForEachField(window, message, [&](const ProtobufField& field) -> Status {
    if (!field.is_bytes() || field.number > kEntryValue) return Status();
    std::string& text = field.number == kEntryKey ? key : value;
    text.clear();
    if (field.payload.length() > kMaxPathBytes) return Status();  // nothing that is looked at
    TRIMS_ASSIGN_OR_RETURN(text, window.StringAt(field.payload, kMaxPathBytes));
    return Status();
  }));
  parts->two_locations |= key == "location" && parts->external_data.contains(key);
  if (key == "location" || key == "offset" || key == "length") {
    parts->external_data[key] = std::move(value);
  }
  return Status();
}

Status AddBytesField(ProtobufWindow& window, const ProtobufField& field, Parts* parts) {
  switch (field.number) {
    case kTensorName: {
      parts->name.clear();
      if (field.payload.length() > kMaxTensorNameBytes) return Status();
      TRIMS_ASSIGN_OR_RETURN(parts->name, window.StringAt(field.payload, kMaxTensorNameBytes));
      return Status();
    }
    case kTensorRawData:
      parts->raw = field.payload;
      return Status();
    case kTensorExternalData:
      return AddExternalEntry(window, field.payload, parts);
    default:
      return Status();
  }
}

Status AddField(ProtobufWindow& window, const ProtobufField& field, Parts* parts) {
  if (field.number == kTensorDims) return AddDims(window, field, parts);
  if (field.is_bytes()) return AddBytesField(window, field, parts);
  if (field.type != WireType::kVarint) return Status();
  if (field.number == kTensorDataType) parts->type = static_cast<int32_t>(field.value);
  // Any other value of the enum is an unknown field to protocol buffers.
  if (field.number == kTensorDataLocation && field.value <= kDataLocationExternal) {
    parts->external = field.value == kDataLocationExternal;
  }
  return Status();
}

Result<Parts> ReadParts(ProtobufWindow& window, FileRange message) {
  Parts parts;
  TRIMS_RETURN_IF_ERROR(ForEachField(window, message, [&](const ProtobufField& field) {
    return AddField(window, field, &parts);
  }));
  return parts;
}

// `fallback` where there is no such entry.
Result<uint64_t> ExternalNumber(const Parts& parts, const std::string& key, uint64_t fallback) {
  const auto found = parts.external_data.find(key);
  if (found == parts.external_data.end()) return fallback;
  const std::string& text = found->second;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > INT64_MAX) {
    return Broken(parts, "has external data with the " + key + " '" + ShownName(text) +
                             "': expected a number of bytes");
  }
  return number;
}

Status ResolveExternal(const Parts& parts, OnnxTensor* tensor) {
  if (parts.two_locations) return Broken(parts, "has two locations of external data");
  const auto found = parts.external_data.find("location");
  std::string location = found == parts.external_data.end() ? "" : found->second;
  if (!PlainPathOf(location) || location == kMemoryLocation) {
    return Broken(parts, "has external data in '" + ShownName(location) +
                             "': expected a path within the model's folder");
  }
  uint64_t& length = tensor->entry.length;
  TRIMS_ASSIGN_OR_RETURN(tensor->entry.offset, ExternalNumber(parts, "offset", 0));
  // 0 is written by exporters that don't know it, and ONNX Runtime takes it for nothing said.
  TRIMS_ASSIGN_OR_RETURN(const uint64_t given, ExternalNumber(parts, "length", 0));
  if (given != 0 && given != length && tensor->entry.dtype != DType::kUnknown) {
    return Broken(parts, "has " + std::to_string(given) +
                             " bytes of external data: its shape makes " + std::to_string(length));
  }
  tensor->storage = OnnxTensor::Storage::kExternal;
  tensor->location = std::move(location);
  return Status();
}

Status ResolveRaw(const Parts& parts, OnnxTensor* tensor) {
  if (tensor->entry.dtype != DType::kUnknown && parts.raw->length() != tensor->entry.length) {
    return Broken(parts, "has " + std::to_string(parts.raw->length()) +
                             " bytes of raw data: its shape makes " +
                             std::to_string(tensor->entry.length));
  }
  tensor->entry.offset = parts.raw->begin;
  return Status();
}

// Values in a field that isn't the type's are not looked at.
Result<uint64_t> CountTyped(ProtobufWindow& window, const OnnxTensor& tensor) {
  uint64_t count = 0;
  const auto one_more = [&count](uint64_t) {
    ++count;
    return Status();
  };
  TRIMS_RETURN_IF_ERROR(
      ForEachTyped(window, tensor.message, TypedFieldOf(tensor.entry.dtype), one_more));
  return count;
}

Status ResolveTyped(const Parts& parts, uint64_t count, OnnxTensor* tensor) {
  const DType dtype = tensor->entry.dtype;
  tensor->storage = OnnxTensor::Storage::kTyped;
  if (dtype == DType::kUnknown) return Status();
  const uint64_t expected = tensor->entry.length / TypedWidth(dtype);
  if (count == expected) return Status();
  return Broken(parts, "has " + std::to_string(count) + " values: its shape makes " +
                           std::to_string(expected));
}

// `typed`: how many values are in the type's own field.
Status Resolve(const Parts& parts, uint64_t typed, OnnxTensor* tensor) {
  TRIMS_RETURN_IF_ERROR(parts.broken);
  if (tensor->entry.dtype == DType::kUnknown && parts.type != kString)
    return Broken(parts, "is of " + OnnxTypeName(parts.type));
  const auto bytes = TensorBytes(tensor->entry.dtype, parts.dims);
  if (!bytes && std::ranges::count(parts.dims, 0u) > 0) {
    return Status(StatusCode::kUnimplemented, "without elements and of an absurd shape");
  }
  if (!bytes) return Broken(parts, "has a shape whose size overflows");
  tensor->entry.length = *bytes;
  tensor->entry.shape = parts.dims;
  // In the order in which ONNX Runtime looks for it.
  if (parts.external) return ResolveExternal(parts, tensor);
  return parts.raw ? ResolveRaw(parts, tensor) : ResolveTyped(parts, typed, tensor);
}

}  // namespace

Result<OnnxTensorRead> ReadOnnxTensor(ProtobufWindow& window, FileRange message) {
  TRIMS_ASSIGN_OR_RETURN(const Parts parts, ReadParts(window, message));
  OnnxTensorRead read;
  read.tensor.message = message;
  read.tensor.onnx_type = parts.type;
  read.tensor.entry.name = parts.name;
  read.tensor.entry.dtype = DTypeFromOnnx(parts.type);
  uint64_t typed = 0;
  if (!parts.external && !parts.raw) {
    TRIMS_ASSIGN_OR_RETURN(typed, CountTyped(window, read.tensor));
  }
  read.status = Resolve(parts, typed, &read.tensor);
  return read;
}

}  // namespace trims
