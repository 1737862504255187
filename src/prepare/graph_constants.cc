#include "prepare/graph_constants.h"

#include <string.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "format/onnx_fields.h"
#include "format/protobuf_reader.h"

namespace trims {
namespace {

using namespace onnx_fields;  // NOLINT(google-build-using-namespace): constants of this format

constexpr uint64_t kMaxConstantBytes = uint64_t{1} << 30;
constexpr size_t kExternalMinBytes = 4096;
constexpr size_t kMaxInputName = 64 * 1024;
constexpr size_t kSearchBytes = size_t{1} << 20;

// Whether `text`, which is shorter than a piece, is anywhere in the file.
Result<bool> Holds(const RandomAccess& file, const std::string& text) {
  std::vector<std::byte> piece(kSearchBytes);
  for (uint64_t at = 0; at < file.size(); at += kSearchBytes - text.size()) {
    const std::span<std::byte> part =
        std::span(piece).first(std::min<uint64_t>(kSearchBytes, file.size() - at));
    TRIMS_RETURN_IF_ERROR(file.ReadAt(at, part));
    if (::memmem(part.data(), part.size(), text.data(), text.size()) != nullptr) return true;
  }
  return false;
}

}  // namespace

Result<GraphConstants> GraphConstants::Of(const RandomAccess& file, ExternalWeights weights) {
  TRIMS_ASSIGN_OR_RETURN(OnnxModel model, ReadOnnx(file));
  GraphConstants constants(file, std::move(model), std::move(weights));
  for (const OnnxTensor& tensor : constants.model_.initializers) {
    constants.by_name_.emplace(tensor.entry.name, &tensor);
  }
  TRIMS_RETURN_IF_ERROR(constants.ReadInputs());
  TRIMS_RETURN_IF_ERROR(constants.ChoosePrefix());
  constants.added_.Reserve(static_cast<size_t>(std::min(file.size(), kMaxConstantBytes)));
  return constants;
}

// An input of the graph with an initializer is one that a caller may override.
Status GraphConstants::ReadInputs() {
  ProtobufWindow window(*file_);
  const auto input = [&](const ProtobufField& field) -> Status {
    if (field.number != kValueName || !field.is_bytes()) return Status();
    TRIMS_ASSIGN_OR_RETURN(const std::string name, window.StringAt(field.payload, kMaxInputName));
    by_name_.erase(name);
    return Status();
  };
  const auto graph = [&](const ProtobufField& field) {
    const bool is_input = field.number == kGraphInput && field.is_bytes();
    return is_input ? ForEachField(window, field.payload, input) : Status();
  };
  return ForEachField(window, {0, window.file_size()}, [&](const ProtobufField& field) {
    const bool is_graph = field.number == kModelGraph && field.is_bytes();
    return is_graph ? ForEachField(window, field.payload, graph) : Status();
  });
}

Status GraphConstants::ChoosePrefix() {
  for (;;) {
    TRIMS_ASSIGN_OR_RETURN(const bool taken, Holds(*file_, prefix_));
    if (!taken) return Status();
    prefix_ += '.';
  }
}

const OnnxTensor* GraphConstants::Find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const OnnxTensor* GraphConstants::FindMatrix(const std::string& name, int32_t onnx_type,
                                             uint64_t min_bytes) const {
  const OnnxTensor* tensor = Find(name);
  if (tensor == nullptr || tensor->onnx_type != onnx_type || !Has(*tensor)) return nullptr;
  const bool large = tensor->entry.length >= std::max<uint64_t>(min_bytes, 1);
  return large && tensor->entry.shape.size() == 2 ? tensor : nullptr;
}

int GraphConstants::opset() const {
  int opset = 0;
  std::from_chars(model_.opset.data(), model_.opset.data() + model_.opset.size(), opset);
  return opset;
}

bool GraphConstants::Has(const OnnxTensor& tensor) const {
  return tensor.storage != OnnxTensor::Storage::kExternal || weights_.given != nullptr;
}

Result<std::string> GraphConstants::BytesOf(const OnnxTensor& tensor) const {
  std::string bytes;
  TRIMS_RETURN_IF_ERROR(ReadBytes(tensor, &bytes));
  return bytes;
}

Status GraphConstants::ReadBytes(const OnnxTensor& tensor, std::string* bytes) const {
  if (!Has(tensor) || tensor.entry.length > kMaxConstantBytes) {
    return Status(StatusCode::kUnimplemented, "a constant in a file of its own, or a huge one");
  }
  bytes->clear();
  if (tensor.storage == OnnxTensor::Storage::kTyped) {
    return DecodeTyped(*file_, tensor, [&](std::span<const std::byte> piece) {
      bytes->append(reinterpret_cast<const char*>(piece.data()), piece.size());
      return Status();
    });
  }
  bytes->resize(static_cast<size_t>(tensor.entry.length));
  if (bytes->empty()) return Status();
  const bool external = tensor.storage == OnnxTensor::Storage::kExternal;
  const RandomAccess& file = external ? *weights_.given : *file_;
  return file.ReadAt(tensor.entry.offset, std::as_writable_bytes(std::span(*bytes)));
}

ProtobufWriter GraphConstants::Head(int32_t onnx_type, const std::vector<uint64_t>& shape,
                                    std::string_view name) {
  ProtobufWriter tensor;
  for (const uint64_t extent : shape) tensor.Int(kTensorDims, extent);
  tensor.Int(kTensorDataType, static_cast<uint64_t>(onnx_type));
  tensor.Bytes(kTensorName, name);
  return tensor;
}

std::string GraphConstants::AddInt64s(const std::vector<int64_t>& values) {
  std::string bytes(values.size() * sizeof(int64_t), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  std::string name = NewName();
  ProtobufWriter tensor = Head(kInt64, {values.size()}, name);
  tensor.Bytes(kTensorRawData, bytes);
  added_.Bytes(kGraphInitializer, tensor.message());
  return name;
}

Result<std::string> GraphConstants::Add(int32_t onnx_type, const std::vector<uint64_t>& shape,
                                        std::string_view bytes) {
  std::string name = NewName();
  ProtobufWriter tensor = Head(onnx_type, shape, name);
  if (weights_.added != nullptr && bytes.size() >= kExternalMinBytes) {
    TRIMS_RETURN_IF_ERROR(AddExternal(bytes, &tensor));
  } else {
    tensor.Bytes(kTensorRawData, bytes);
  }
  added_.Bytes(kGraphInitializer, tensor.message());
  return name;
}

Status GraphConstants::AddExternal(std::string_view bytes, ProtobufWriter* tensor) {
  OutFile& file = *weights_.added;
  TRIMS_RETURN_IF_ERROR(file.PadTo(AlignUp(file.size(), kPageSize)));
  const std::pair<const char*, std::string> entries[] = {{"location", weights_.added_name},
                                                         {"offset", std::to_string(file.size())},
                                                         {"length", std::to_string(bytes.size())}};
  for (const auto& [key, value] : entries) {
    ProtobufWriter entry;
    entry.Bytes(kEntryKey, key);
    entry.Bytes(kEntryValue, value);
    tensor->Bytes(kTensorExternalData, entry.message());
  }
  tensor->Int(kTensorDataLocation, kDataLocationExternal);
  return file.Append(std::as_bytes(std::span(bytes)));
}

}  // namespace trims
