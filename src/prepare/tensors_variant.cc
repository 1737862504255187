#include "prepare/tensors_variant.h"

#include <map>
#include <memory>
#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/shown_name.h"
#include "prepare/finish_variant.h"
#include "prepare/tensor_groups.h"
#include "prepare/tensor_layout.h"

namespace trims {
namespace {

constexpr char kExtentName[] = "tensors.extent";

uint64_t LaidBytes(const TensorEntry& entry) { return AlignUp(entry.length, kTensorAlignment); }

Result<ManifestVariant> Finish(const PrepareContext& context, TensorLayout layout,
                               std::map<std::string, std::string> metadata) {
  TRIMS_ASSIGN_OR_RETURN(TensorLayout::Laid laid, std::move(layout).Finish());
  return FinishVariant(context.out, Variant::kTensors, "", {WholeFileExtent(laid.file)},
                       {.extent_lengths = {},
                        .tensors = std::move(laid.tensors),
                        .files = {},
                        .metadata = std::move(metadata)});
}

bool IsSupported(const OnnxTensor& tensor) { return tensor.entry.dtype != DType::kUnknown; }

std::vector<bool> AlignedTensors(const OnnxModel& model) {
  std::vector<NamedBytes> tensors;
  for (const OnnxTensor& tensor : model.initializers) {
    if (IsSupported(tensor)) tensors.push_back({tensor.entry.name, tensor.entry.length});
  }
  return AlignedGroups(tensors);
}

// One note for all tensors of a type, with a few of their names.
void NoteLeftOut(const OnnxModel& model, std::vector<std::string>* notes) {
  std::map<std::string, std::pair<size_t, std::string>> by_type;
  for (const OnnxTensor& tensor : model.initializers) {
    if (IsSupported(tensor)) continue;
    auto& [count, names] = by_type[OnnxTypeName(tensor.onnx_type)];
    if (++count <= 3) names += " '" + ShownName(tensor.entry.name) + "'";
  }
  for (const auto& [type, left_out] : by_type) {
    notes->push_back("tensors: " + std::to_string(left_out.first) + " of type " + type +
                     " left out:" + left_out.second);
  }
  NoteLeftOut(model.left_out, notes);
  if (!model.doubt.ok()) notes->push_back("tensors: " + model.doubt.message());
}

// Opens each file of external data once.
class OnnxCopier {
 public:
  OnnxCopier(const PrepareContext& context, const OnnxSource& onnx,
             std::unique_ptr<RandomAccess> model)
      : context_(context), onnx_(onnx), model_(std::move(model)) {}

  Status Copy(const OnnxTensor& tensor, TensorLayout* layout) {
    switch (tensor.storage) {
      case OnnxTensor::Storage::kRaw:
        return layout->AddRange(tensor.entry, *model_);
      case OnnxTensor::Storage::kTyped:
        return layout->AddTyped(tensor, *model_);
      case OnnxTensor::Storage::kExternal:
        break;
    }
    TRIMS_RETURN_IF_ERROR(OpenExternal(tensor.location));
    return layout->AddRange(tensor.entry, *open_.at(tensor.location));
  }

 private:
  Status OpenExternal(const std::string& location) {
    if (open_.contains(location)) return Status();
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccess> file,
                           context_.source.Open(onnx_.external.at(location)->name));
    open_.emplace(location, std::move(file));
    return Status();
  }

  const PrepareContext& context_;
  const OnnxSource& onnx_;
  std::unique_ptr<RandomAccess> model_;
  std::map<std::string, std::unique_ptr<RandomAccess>> open_;
};

std::map<std::string, std::string> OnnxMetadata(const OnnxModel& model) {
  std::map<std::string, std::string> metadata{{"format", "onnx"}};
  if (!model.producer.empty()) metadata["onnx.producer"] = model.producer;
  if (!model.opset.empty()) metadata["onnx.opset"] = model.opset;
  metadata["onnx.ir_version"] = std::to_string(model.ir_version);
  return metadata;
}

}  // namespace

void NoteWasted(const TensorLayout& layout, std::vector<std::string>* notes) {
  if (layout.wasted() == 0) return;
  notes->push_back("tensors: " + std::to_string(layout.wasted()) +
                   " bytes are left empty, so that layers begin where they can be shared");
}

void NoteLeftOut(const LeftOutTensors& tensors, std::vector<std::string>* notes) {
  for (const auto& [why, left_out] : tensors) {
    notes->push_back("tensors: " + std::to_string(left_out.count) + " left out, " + why + ":" +
                     left_out.names);
  }
}

Result<ManifestVariant> MakeTensorsFromOnnx(const PrepareContext& context, const OnnxSource& onnx,
                                            std::vector<std::string>* notes) {
  uint64_t total = 0;
  size_t supported = 0;
  for (const OnnxTensor& tensor : onnx.model.initializers) {
    if (!IsSupported(tensor)) continue;
    ++supported;
    total += LaidBytes(tensor.entry);
  }
  NoteLeftOut(onnx.model, notes);
  const std::string nested =
      std::to_string(onnx.model.nested_tensors) +
      " in nested graphs, functions and attributes have no names of their own";
  if (supported == 0) {
    return Status(StatusCode::kFailedPrecondition,
                  "the model has no initializers or constants to share" +
                      (onnx.model.nested_tensors == 0 ? "" : ": " + nested));
  }
  if (onnx.model.nested_tensors > 0) notes->push_back("tensors: without weights: " + nested);
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccess> model, context.source.Open(onnx.file->name));
  TRIMS_ASSIGN_OR_RETURN(OutFile file, context.out.Create(kExtentName));
  TensorLayout layout(std::move(file), context.progress, total);
  if (context.layers) layout.Align(AlignedTensors(onnx.model));
  OnnxCopier copier(context, onnx, std::move(model));
  for (const OnnxTensor& tensor : onnx.model.initializers) {
    if (IsSupported(tensor)) TRIMS_RETURN_IF_ERROR(copier.Copy(tensor, &layout));
  }
  NoteWasted(layout, notes);
  return Finish(context, std::move(layout), OnnxMetadata(onnx.model));
}

}  // namespace trims
