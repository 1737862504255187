#include "function/inference.h"

#include <cstdlib>
#include <span>
#include <sstream>

#include "base/macros.h"

namespace trims::bench {
namespace {

constexpr int64_t kSampleRate = 16000;

size_t ElementCount(const std::vector<int64_t>& shape) {
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  return count;
}

// A linear congruential sequence: the same on every machine and cheap enough not to be measured.
void FillWithNumbers(std::span<float> values) {
  uint32_t state = 2019;
  for (float& value : values) {
    state = state * 1664525 + 1013904223;
    value = static_cast<float>(state >> 8) / 16777216.0f;
  }
}

Result<InputSpec> ParseInput(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Status(StatusCode::kInvalidArgument, "expected name=1x2x3, found '" + text + "'");
  }
  InputSpec spec{.name = text.substr(0, equals), .shape = {}};
  std::istringstream extents(text.substr(equals + 1));
  for (std::string extent; std::getline(extents, extent, 'x');) {
    const int64_t value = std::strtoll(extent.c_str(), nullptr, 10);
    if (value <= 0 || value > 100'000) {
      return Status(StatusCode::kInvalidArgument, "a bad extent in '" + text + "'");
    }
    spec.shape.push_back(value);
  }
  return spec;
}

uint64_t Hash(std::span<const std::byte> bytes, uint64_t hash) {
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 1099511628211u;
  return hash;
}

}  // namespace

Result<std::vector<InputSpec>> ParseInputs(const std::string& text) {
  std::vector<InputSpec> specs;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ';');) {
    TRIMS_ASSIGN_OR_RETURN(InputSpec spec, ParseInput(part));
    specs.push_back(std::move(spec));
  }
  return specs;
}

Result<Ort::Value> Inference::MakeInput(const InputSpec& spec, ONNXTensorElementDataType type,
                                        Input& elements) {
  const Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  const size_t count = ElementCount(spec.shape);
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
    elements.floats.resize(count);
    FillWithNumbers(elements.floats);
    return Ort::Value::CreateTensor<float>(memory, elements.floats.data(), count, spec.shape.data(),
                                           spec.shape.size());
  }
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
    elements.integers.assign(count, kSampleRate);
    return Ort::Value::CreateTensor<int64_t>(memory, elements.integers.data(), count,
                                             spec.shape.data(), spec.shape.size());
  }
  return Status(StatusCode::kUnimplemented, "input " + spec.name + ": expected float or int64");
}

Result<Inference> Inference::Prepare(Ort::Session& session, const std::vector<InputSpec>& specs) {
  Inference made;
  made.session_ = &session;
  made.elements_.resize(specs.size());
  for (size_t i = 0; i < specs.size(); ++i) {
    const auto type = session.GetInputTypeInfo(i).GetTensorTypeAndShapeInfo().GetElementType();
    TRIMS_ASSIGN_OR_RETURN(Ort::Value value, MakeInput(specs[i], type, made.elements_[i]));
    made.values_.push_back(std::move(value));
    made.input_names_.push_back(specs[i].name);
  }
  Ort::AllocatorWithDefaultOptions allocator;
  for (size_t i = 0; i < session.GetOutputCount(); ++i) {
    made.output_names_.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
  }
  return made;
}

std::vector<Ort::Value> Inference::Run() {
  std::vector<const char*> inputs;
  for (const std::string& name : input_names_) inputs.push_back(name.c_str());
  std::vector<const char*> outputs;
  for (const std::string& name : output_names_) outputs.push_back(name.c_str());
  return session_->Run(Ort::RunOptions{nullptr}, inputs.data(), values_.data(), values_.size(),
                       outputs.data(), outputs.size());
}

uint64_t HashOutputs(const std::vector<Ort::Value>& outputs) {
  uint64_t hash = 14695981039346656037u;
  for (const Ort::Value& output : outputs) {
    const Ort::TensorTypeAndShapeInfo info = output.GetTensorTypeAndShapeInfo();
    const size_t width = info.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 ? 8 : 4;
    const auto* data = static_cast<const std::byte*>(output.GetTensorRawData());
    hash = Hash({data, info.GetElementCount() * width}, hash);
  }
  return hash;
}

}  // namespace trims::bench
