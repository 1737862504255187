#include "format/onnx.h"

#include <unordered_map>
#include <utility>

#include "base/macros.h"
#include "format/onnx_tensor.h"
#include "format/onnx_walk.h"

namespace trims {
namespace {

// Reads what the walk found. Of a name that has several values the last one counts: those before it
// are as if they weren't there, sound or not.
class Choice {
 public:
  explicit Choice(ProtobufWindow& window) : window_(window) {}

  Status Add(const std::vector<OnnxCandidate>& candidates) {
    for (const OnnxCandidate& candidate : candidates) {
      TRIMS_ASSIGN_OR_RETURN(OnnxTensorRead read, Read(candidate));
      if (candidate.name) read.tensor.entry.name = *candidate.name;
      const auto [known, is_new] = places_.emplace(read.tensor.entry.name, slots_.size());
      if (!is_new) slots_[known->second].reset();
      known->second = slots_.size();
      slots_.push_back(std::move(read));
      if (slots_.size() > kMaxTensors)
        return Status(StatusCode::kInvalidArgument, "onnx: too many initializers");
    }
    return Status();
  }

  void Give(OnnxModel* model) && {
    for (std::optional<OnnxTensorRead>& slot : slots_) {
      if (slot) GiveOne(std::move(slot->tensor), std::move(slot->status), model);
    }
  }

 private:
  Result<OnnxTensorRead> Read(const OnnxCandidate& candidate) {
    OnnxTensorRead read;
    if (candidate.message.length() > 0) {
      TRIMS_ASSIGN_OR_RETURN(read, ReadOnnxTensor(window_, candidate.message));
    }
    if (candidate.kind != nullptr) read.status = Status(StatusCode::kUnimplemented, candidate.kind);
    return read;
  }

  static void GiveOne(OnnxTensor tensor, Status status, OnnxModel* model) {
    if (status.ok() && !CheckTensorName(tensor.entry.name).ok())
      status = Status(StatusCode::kUnimplemented, "without a usable name");
    if (!status.ok()) {
      model->LeaveOut(tensor.entry.name, status);
      return;
    }
    if (tensor.storage == OnnxTensor::Storage::kExternal)
      model->external_files.insert(tensor.location);
    model->initializers.push_back(std::move(tensor));
  }

  ProtobufWindow& window_;
  std::vector<std::optional<OnnxTensorRead>> slots_;
  std::unordered_map<std::string, size_t> places_;  // the last slot of a name
};

}  // namespace

void OnnxModel::LeaveOut(const std::string& name, const Status& why) {
  const bool damaged = why.code() != StatusCode::kUnimplemented;
  if (damaged && doubt.ok()) doubt = why;
  AddLeftOut(&left_out, name, damaged ? "whose data can't be found" : why.message());
}

Result<OnnxModel> ReadOnnx(const RandomAccess& file) {
  if (file.size() == 0) return Status(StatusCode::kInvalidArgument, "onnx: an empty file");
  ProtobufWindow window(file);
  TRIMS_ASSIGN_OR_RETURN(OnnxOutline outline, WalkOnnx(window));
  OnnxModel model;
  model.ir_version = outline.ir_version;
  model.producer = std::move(outline.producer);
  model.opset = std::move(outline.opset);
  model.nested_tensors = outline.nested_tensors - outline.constants_with_values;
  model.nested_external = !outline.nested_files.empty();
  model.external_files = std::move(outline.nested_files);
  Choice choice(window);
  TRIMS_RETURN_IF_ERROR(choice.Add(outline.initializers));
  TRIMS_RETURN_IF_ERROR(choice.Add(outline.constants));
  TRIMS_RETURN_IF_ERROR(choice.Add(outline.sparse));
  std::move(choice).Give(&model);
  return model;
}

}  // namespace trims
