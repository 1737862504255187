#include "prepare/ort_variant.h"

#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/ort_variant_key.h"
#include "prepare/finish_variant.h"
#include "prepare/tensor_layout.h"

namespace trims {
namespace {

constexpr char kOrtFile[] = "model.ort";
constexpr char kGraphFile[] = "model.onnx";
constexpr char kWeightsFile[] = "null";  // see the header
constexpr char kExtentName[] = "ort.extent";

std::map<std::string, std::string> Metadata(const OrtLibrary& ort, const char* form) {
  return {{"format", "onnx"}, {"ort.form", form}, {"ort.version", ort.version()}};
}

Status Optimise(const PrepareContext& context, const OrtLibrary& ort, const OptimiseJob& job) {
  context.progress.Report("optimise", 0, 1);
  TRIMS_RETURN_IF_ERROR(ort.Optimise(job));
  context.progress.Report("optimise", 1, 1);
  return Status();
}

Result<ManifestVariant> MakeBytesForm(const PrepareContext& context, const OnnxSource& onnx,
                                      const OrtLibrary& ort) {
  const OptimiseJob job{.model = onnx.file->path,
                        .out = context.out.PathOf(kOrtFile),
                        .as_ort = true,
                        .weights_name = {}};
  TRIMS_RETURN_IF_ERROR(Optimise(context, ort, job));
  TRIMS_ASSIGN_OR_RETURN(const Written model, context.out.Describe(kOrtFile));
  IndexContent content;
  content.metadata = Metadata(ort, "bytes");
  content.files.push_back({kOrtFile, 0, 0, model.length, true});
  return FinishVariant(context.out, Variant::kOrt, OrtVariantKey(ort.version()),
                       {WholeFileExtent(model)}, std::move(content));
}

Status CheckNameable(const OnnxModel& graph) {
  if (graph.nested_external) {
    return Status(StatusCode::kUnimplemented,
                  "a nested graph of this model has large weights, which ONNX Runtime takes only "
                  "from a file");
  }
  for (const OnnxTensor& tensor : graph.initializers) {
    const bool external = tensor.storage == OnnxTensor::Storage::kExternal;
    if (!external || tensor.entry.dtype != DType::kUnknown) continue;
    return Status(StatusCode::kUnimplemented, "the weight '" + ShownName(tensor.entry.name) +
                                                  "' is of type " + OnnxTypeName(tensor.onnx_type));
  }
  return Status();
}

// The weights of the optimised graph, out of the file that ONNX Runtime packed them into.
Result<TensorLayout::Laid> LayWeights(const PrepareContext& context, const OnnxModel& graph) {
  uint64_t total = 0;
  for (const OnnxTensor& tensor : graph.initializers) {
    if (tensor.storage == OnnxTensor::Storage::kExternal) total += tensor.entry.length;
  }
  TRIMS_ASSIGN_OR_RETURN(const FileBytes weights, context.out.Open(kWeightsFile));
  TRIMS_ASSIGN_OR_RETURN(OutFile file, context.out.Create(kExtentName));
  TensorLayout layout(std::move(file), context.progress, total);
  for (const OnnxTensor& tensor : graph.initializers) {
    if (tensor.storage != OnnxTensor::Storage::kExternal) continue;
    TRIMS_RETURN_IF_ERROR(layout.AddRange(tensor.entry, weights));
  }
  return std::move(layout).Finish();
}

Result<ManifestVariant> MakeNamedForm(const PrepareContext& context, const OnnxSource& onnx,
                                      const OrtLibrary& ort) {
  const OptimiseJob job{.model = onnx.file->path,
                        .out = context.out.PathOf(kGraphFile),
                        .as_ort = false,
                        .weights_name = kWeightsFile};
  TRIMS_RETURN_IF_ERROR(Optimise(context, ort, job));
  TRIMS_ASSIGN_OR_RETURN(const FileBytes model, context.out.Open(kGraphFile));
  TRIMS_ASSIGN_OR_RETURN(const OnnxModel graph, ReadOnnx(model));
  TRIMS_RETURN_IF_ERROR(CheckNameable(graph));
  TRIMS_ASSIGN_OR_RETURN(TensorLayout::Laid laid, LayWeights(context, graph));
  context.out.Remove(kWeightsFile);
  TRIMS_ASSIGN_OR_RETURN(const Written written, context.out.Describe(kGraphFile));
  IndexContent content;
  content.metadata = Metadata(ort, "named");
  content.tensors = std::move(laid.tensors);
  content.files.push_back({kGraphFile, 1, 0, written.length, true});
  return FinishVariant(context.out, Variant::kOrt, OrtVariantKey(ort.version()),
                       {WholeFileExtent(laid.file), WholeFileExtent(written)}, std::move(content));
}

}  // namespace

Result<ManifestVariant> MakeOrtVariant(const PrepareContext& context, const OnnxSource& onnx,
                                       const OrtLibrary& ort, uint64_t bytes_limit) {
  return onnx.bytes > bytes_limit ? MakeNamedForm(context, onnx, ort)
                                  : MakeBytesForm(context, onnx, ort);
}

}  // namespace trims
