#include "prepare/tensors_variant.h"

#include <map>
#include <memory>
#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "format/safetensors.h"
#include "prepare/finish_variant.h"
#include "prepare/tensor_layout.h"

namespace trims {
namespace {

constexpr char kExtentName[] = "tensors.extent";
constexpr size_t kMaxMetadataBytes = 256 * 1024;  // of all safetensors metadata together

struct Shard {
  std::unique_ptr<RandomAccess> file;
  Safetensors content;
};

Result<std::vector<Shard>> ReadShards(const FileTree& source, const std::vector<size_t>& indices) {
  std::vector<Shard> shards;
  for (const size_t i : indices) {
    const ListedFile& file = source.files()[i];
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccess> bytes, source.Open(file.name));
    Result<Safetensors> content = ReadSafetensors(*bytes);
    if (!content.ok()) {
      return Status(content.status().code(), "'" + file.name + "': " + content.status().message());
    }
    shards.push_back({std::move(bytes), *std::move(content)});
  }
  return shards;
}

std::map<std::string, std::string> SafetensorsMetadata(const std::vector<Shard>& shards) {
  std::map<std::string, std::string> metadata{{"format", "safetensors"}};
  size_t bytes = 0;
  for (const Shard& shard : shards) {
    for (const auto& [key, value] : shard.content.metadata) {
      bytes += key.size() + value.size();
      if (bytes <= kMaxMetadataBytes) metadata.emplace("safetensors." + key, value);
    }
  }
  return metadata;
}

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

void NoteLeftOut(const LeftOutTensors& tensors, std::vector<std::string>* notes) {
  for (const auto& [why, left_out] : tensors) {
    notes->push_back("tensors: " + std::to_string(left_out.count) + " left out, " + why + ":" +
                     left_out.names);
  }
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

Result<ManifestVariant> MakeTensorsFromSafetensors(const PrepareContext& context,
                                                   const std::vector<size_t>& shards,
                                                   std::vector<std::string>* notes) {
  TRIMS_ASSIGN_OR_RETURN(const std::vector<Shard> read, ReadShards(context.source, shards));
  uint64_t total = 0;
  for (const Shard& shard : read) {
    NoteLeftOut(shard.content.left_out, notes);
    for (const TensorEntry& entry : shard.content.tensors) total += LaidBytes(entry);
  }
  TRIMS_ASSIGN_OR_RETURN(OutFile file, context.out.Create(kExtentName));
  TensorLayout layout(std::move(file), context.progress, total);
  for (const Shard& shard : read) {
    for (const TensorEntry& entry : shard.content.tensors) {
      TRIMS_RETURN_IF_ERROR(layout.AddRange(entry, *shard.file));
    }
  }
  return Finish(context, std::move(layout), SafetensorsMetadata(read));
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
  if (supported == 0) {
    return Status(StatusCode::kFailedPrecondition,
                  "the model has no initializers or constants to share");
  }
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccess> model, context.source.Open(onnx.file->name));
  TRIMS_ASSIGN_OR_RETURN(OutFile file, context.out.Create(kExtentName));
  TensorLayout layout(std::move(file), context.progress, total);
  OnnxCopier copier(context, onnx, std::move(model));
  for (const OnnxTensor& tensor : onnx.model.initializers) {
    if (IsSupported(tensor)) TRIMS_RETURN_IF_ERROR(copier.Copy(tensor, &layout));
  }
  return Finish(context, std::move(layout), OnnxMetadata(onnx.model));
}

}  // namespace trims
