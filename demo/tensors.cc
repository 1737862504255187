#include "demo/tensors.h"

#include <utility>

namespace trims::demo {
namespace {

// The names of the session's inputs or outputs, and pointers to them as Run() wants them.
class Names {
 public:
  void Add(Ort::AllocatedStringPtr name) {
    pointers_.push_back(name.get());
    names_.push_back(std::move(name));
  }
  const char* const* data() const { return pointers_.data(); }
  size_t size() const { return pointers_.size(); }

 private:
  std::vector<Ort::AllocatedStringPtr> names_;
  std::vector<const char*> pointers_;
};

}  // namespace

std::vector<Ort::Value> RunModel(Ort::Session& session, std::span<const Ort::Value> inputs) {
  Ort::AllocatorWithDefaultOptions allocator;
  Names in, out;
  for (size_t i = 0; i < session.GetInputCount(); ++i) {
    in.Add(session.GetInputNameAllocated(i, allocator));
  }
  for (size_t i = 0; i < session.GetOutputCount(); ++i) {
    out.Add(session.GetOutputNameAllocated(i, allocator));
  }
  return session.Run(Ort::RunOptions(nullptr), in.data(), inputs.data(), inputs.size(), out.data(),
                     out.size());
}

std::span<const float> Floats(const Ort::Value& value) {
  return {value.GetTensorData<float>(), value.GetTensorTypeAndShapeInfo().GetElementCount()};
}

}  // namespace trims::demo
