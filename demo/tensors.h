// Short calls of an Ort::Session with dense tensors. They throw Ort::Exception, as the session
// does.
#ifndef TRIMS_DEMO_TENSORS_H_
#define TRIMS_DEMO_TENSORS_H_

#include <onnxruntime_cxx_api.h>

#include <span>
#include <vector>

namespace trims::demo {

// A tensor over `values`, which outlive it.
template <typename T>
Ort::Value TensorOver(std::vector<T>& values, std::span<const int64_t> shape) {
  static const Ort::MemoryInfo memory =
      Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  return Ort::Value::CreateTensor<T>(memory, values.data(), values.size(), shape.data(),
                                     shape.size());
}

// All outputs for inputs given in the model's order.
std::vector<Ort::Value> RunModel(Ort::Session& session, std::span<const Ort::Value> inputs);

// The numbers of a float tensor; they end with it.
std::span<const float> Floats(const Ort::Value& value);

}  // namespace trims::demo

#endif  // TRIMS_DEMO_TENSORS_H_
