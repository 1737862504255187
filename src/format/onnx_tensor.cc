#include "format/onnx_tensor.h"

#include <charconv>
#include <map>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/plain_path.h"
#include "format/onnx_fields.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this layer

constexpr size_t kMaxExternalEntries = 16;
// With this location ONNX Runtime takes the offset for an address of its own memory.
constexpr std::string_view kMemoryLocation = "*/_ORT_MEM_ADDR_/*";

struct Parts {
  std::vector<uint64_t> dims;
  int32_t type = 0;
  std::string name;
  uint32_t typed_field = 0;
  bool has_raw = false;
  FileRange raw;
  bool external = false;
  std::map<std::string, std::string> external_data;
};

Status Broken(const Parts& parts, const std::string& what) {
  return Status(StatusCode::kInvalidArgument,
                "onnx: tensor '" + ShownName(parts.name) + "' " + what);
}

Status AddDim(uint64_t value, Parts* parts) {
  if (value > INT64_MAX) {
    return Broken(*parts, "has the dimension " + std::to_string(static_cast<int64_t>(value)));
  }
  if (parts->dims.size() == kMaxTensorRank) {
    return Broken(*parts, "has more than " + std::to_string(kMaxTensorRank) + " dimensions");
  }
  parts->dims.push_back(value);
  return Status();
}

Status AddDims(ProtobufWindow& window, const ProtobufField& field, Parts* parts) {
  if (field.type == WireType::kVarint) return AddDim(field.value, parts);
  ProtobufReader packed(window, field.payload);
  while (!packed.AtEnd()) {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t value, packed.Varint());
    TRIMS_RETURN_IF_ERROR(AddDim(value, parts));
  }
  return Status();
}

Status AddExternalEntry(ProtobufWindow& window, FileRange message, Parts* parts) {
  ProtobufReader reader(window, message);
  std::string key;
  std::string value;
  for (;;) {
    TRIMS_ASSIGN_OR_RETURN(const std::optional<ProtobufField> field, reader.Next());
    if (!field) break;
    if (!field->is_bytes() || field->number > kEntryValue) continue;
    TRIMS_ASSIGN_OR_RETURN(std::string text, window.StringAt(field->payload, kMaxPathBytes));
    (field->number == kEntryKey ? key : value) = std::move(text);
  }
  if (parts->external_data.size() == kMaxExternalEntries) {
    return Broken(*parts, "has too many entries of external data");
  }
  if (parts->external_data.emplace(std::move(key), std::move(value)).second) return Status();
  return Broken(*parts, "has an entry of external data twice");
}

bool IsTypedField(uint32_t number) {
  return number == kTensorFloatData || number == kTensorInt32Data || number == kTensorStringData ||
         number == kTensorInt64Data || number == kTensorDoubleData || number == kTensorUint64Data;
}

Status AddTyped(uint32_t number, Parts* parts) {
  if (parts->typed_field != 0 && parts->typed_field != number) {
    return Broken(*parts, "has data in two fields");
  }
  parts->typed_field = number;
  return Status();
}

Status AddBytesField(ProtobufWindow& window, const ProtobufField& field, Parts* parts) {
  switch (field.number) {
    case kTensorName: {
      TRIMS_ASSIGN_OR_RETURN(parts->name, window.StringAt(field.payload, kMaxTensorNameBytes));
      return Status();
    }
    case kTensorRawData:
      if (parts->has_raw) return Broken(*parts, "has raw data twice");
      parts->has_raw = true;
      parts->raw = field.payload;
      return Status();
    case kTensorExternalData:
      return AddExternalEntry(window, field.payload, parts);
    default:
      return Status();
  }
}

Status AddField(ProtobufWindow& window, const ProtobufField& field, Parts* parts) {
  if (IsTypedField(field.number)) return AddTyped(field.number, parts);
  if (field.number == kTensorDims) return AddDims(window, field, parts);
  if (field.is_bytes()) return AddBytesField(window, field, parts);
  if (field.number == kTensorDataType) parts->type = static_cast<int32_t>(field.value);
  if (field.number == kTensorDataLocation) parts->external = field.value == kDataLocationExternal;
  return Status();
}

Result<Parts> ReadParts(ProtobufWindow& window, FileRange message) {
  Parts parts;
  ProtobufReader reader(window, message);
  for (;;) {
    TRIMS_ASSIGN_OR_RETURN(const std::optional<ProtobufField> field, reader.Next());
    if (!field) return parts;
    TRIMS_RETURN_IF_ERROR(AddField(window, *field, &parts));
  }
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
  const auto found = parts.external_data.find("location");
  std::string location = found == parts.external_data.end() ? "" : found->second;
  if (location.starts_with("./")) location.erase(0, 2);
  if (!IsPlainPath(location) || location == kMemoryLocation) {
    return Broken(parts, "has external data in '" + ShownName(location) +
                             "': expected a path within the model's folder");
  }
  uint64_t& length = tensor->entry.length;
  TRIMS_ASSIGN_OR_RETURN(tensor->entry.offset, ExternalNumber(parts, "offset", 0));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t given, ExternalNumber(parts, "length", length));
  if (given != length && tensor->entry.dtype != DType::kUnknown) {
    return Broken(parts, "has " + std::to_string(given) +
                             " bytes of external data: its shape makes " + std::to_string(length));
  }
  tensor->storage = OnnxTensor::Storage::kExternal;
  tensor->location = std::move(location);
  return Status();
}

Status ResolveRaw(const Parts& parts, OnnxTensor* tensor) {
  if (tensor->entry.dtype != DType::kUnknown && parts.raw.length() != tensor->entry.length) {
    return Broken(parts, "has " + std::to_string(parts.raw.length()) +
                             " bytes of raw data: its shape makes " +
                             std::to_string(tensor->entry.length));
  }
  tensor->entry.offset = parts.raw.begin;
  return Status();
}

Status ResolveTyped(ProtobufWindow& window, const Parts& parts, OnnxTensor* tensor) {
  const DType dtype = tensor->entry.dtype;
  tensor->storage = OnnxTensor::Storage::kTyped;
  if (dtype == DType::kUnknown) return Status();
  if (parts.typed_field != TypedFieldOf(dtype)) {
    return Broken(parts, "is of type " + OnnxTypeName(parts.type) + " and has its data in field " +
                             std::to_string(parts.typed_field) + ": expected field " +
                             std::to_string(TypedFieldOf(dtype)));
  }
  uint64_t count = 0;
  TRIMS_RETURN_IF_ERROR(ForEachTyped(window, tensor->message, parts.typed_field, [&](uint64_t) {
    ++count;
    return Status();
  }));
  const uint64_t expected = tensor->entry.length / TypedWidth(dtype);
  if (count == expected) return Status();
  return Broken(parts, "has " + std::to_string(count) + " values: its shape makes " +
                           std::to_string(expected));
}

}  // namespace

Result<OnnxTensor> ReadOnnxTensor(ProtobufWindow& window, FileRange message) {
  TRIMS_ASSIGN_OR_RETURN(Parts parts, ReadParts(window, message));
  OnnxTensor tensor;
  tensor.message = message;
  tensor.onnx_type = parts.type;
  tensor.entry.name = parts.name;
  tensor.entry.dtype = DTypeFromOnnx(parts.type);
  const auto bytes = TensorBytes(tensor.entry.dtype, parts.dims);
  if (!bytes) return Broken(parts, "has a shape whose size overflows");
  tensor.entry.length = *bytes;
  tensor.entry.shape = std::move(parts.dims);
  const int places = int{parts.has_raw} + int{parts.typed_field != 0} + int{parts.external};
  if (places > 1) return Broken(parts, "has its data in two places");
  if (parts.external) {
    TRIMS_RETURN_IF_ERROR(ResolveExternal(parts, &tensor));
  } else if (parts.typed_field != 0) {
    TRIMS_RETURN_IF_ERROR(ResolveTyped(window, parts, &tensor));
  } else {
    TRIMS_RETURN_IF_ERROR(ResolveRaw(parts, &tensor));
  }
  return tensor;
}

}  // namespace trims
