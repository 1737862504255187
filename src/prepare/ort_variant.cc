#include "prepare/ort_variant.h"

#include <string.h>

#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/macros.h"
#include "base/ort_metadata.h"
#include "base/ort_variant_key.h"
#include "base/plain_path.h"
#include "base/utf8.h"
#include "prepare/finish_variant.h"
#include "prepare/graph_nodes.h"
#include "prepare/mapped_file.h"
#include "prepare/ort_alignment.h"
#include "prepare/ort_facts.h"
#include "prepare/ort_graph_rewrite.h"
#include "prepare/steady_ort.h"
#include "prepare/tensor_layout.h"

namespace trims {
namespace {

constexpr char kOrtFile[] = "model.ort";
constexpr char kAlignedFile[] = "model.aligned.ort";
constexpr char kGraphFile[] = "model.onnx";
constexpr char kWeightsFile[] = "null";  // see the header
constexpr char kOrtExtent[] = "ort.extent";

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// One attempt to make the variant in one form.
class OrtVariantMaker {
 public:
  OrtVariantMaker(const PrepareContext& context, const OnnxSource& onnx, const OrtLibrary& ort,
                  const OrtVariantOptions& options)
      : context_(context), onnx_(onnx), ort_(ort), options_(options) {}

  Status ReadFacts() {
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> model,
                           context_.source.Open(onnx_.file->name));
    TRIMS_ASSIGN_OR_RETURN(facts_, ReadOrtFacts(*model));
    return Status();
  }

  Result<ManifestVariant> MakeBytesForm();
  Result<ManifestVariant> MakeNamedForm();
  // Of what was made:
  bool answers_need_packing() const { return answers_need_packing_; }
  const Status& not_steadier() const { return not_steadier_; }  // why, where it might have been

 private:
  std::map<std::string, std::string> Metadata(const char* form) const;
  Status Optimise(const OptimiseJob& job) const;
  std::vector<LinkedFile> LinkedFiles() const;
  Result<TensorLayout::Laid> LayWeights(const OnnxModel& graph) const;
  Status TryBytes();
  bool MakeSteadier(const OptimiseJob& job);
  Status MakeOrt(const OptimiseJob& job);
  Result<Written> Aligned() const;
  Status TryNamed(const OnnxModel& graph, const TensorLayout::Laid& laid);

  const PrepareContext& context_;
  const OnnxSource& onnx_;
  const OrtLibrary& ort_;
  const OrtVariantOptions& options_;
  OrtFacts facts_;
  bool answers_need_packing_ = false;
  bool speed_needs_packing_ = false;
  Status not_steadier_;
};

std::map<std::string, std::string> OrtVariantMaker::Metadata(const char* form) const {
  std::map<std::string, std::string> metadata = {
      {"format", "onnx"}, {ort_metadata::kForm, form}, {ort_metadata::kVersion, ort_.version()}};
  if (IsUtf8(facts_.graph_name)) metadata[ort_metadata::kGraphName] = facts_.graph_name;
  if (!facts_.probe.empty()) metadata[ort_metadata::kProbe] = Hex(facts_.probe);
  if (answers_need_packing_ || speed_needs_packing_) metadata[ort_metadata::kPrepacking] = "1";
  return metadata;
}

// In a hub's cache, files that belong beside the model lie under other names.
std::vector<LinkedFile> OrtVariantMaker::LinkedFiles() const {
  const std::string folder = onnx_.file->path.substr(0, onnx_.file->path.rfind('/') + 1);
  std::vector<LinkedFile> linked;
  for (const auto& [location, file] : onnx_.external) {
    if (file->length > 0 && file->path != folder + PlainPathOf(location).value_or(location))
      linked.push_back({location, file->path});
  }
  return linked;
}

Status OrtVariantMaker::Optimise(const OptimiseJob& job) const {
  context_.progress.Report("optimise", 0, 1);
  TRIMS_RETURN_IF_ERROR(ort_.Optimise(job));
  context_.progress.Report("optimise", 1, 1);
  return Status();
}

// MatMulNBits rounds its activations to whole numbers where its weights are packed, and only there
// (accuracy level 4, which the optimiser chooses): the answers of a plain session need packing.
bool AnswersNeedPacking(std::span<const std::byte> model) {
  constexpr std::string_view kOperator = kNeedsPacking;
  return ::memmem(model.data(), model.size(), kOperator.data(), kOperator.size()) != nullptr;
}

Status OrtVariantMaker::TryBytes() {
  TRIMS_ASSIGN_OR_RETURN(const MappedFile model, context_.out.Map(kOrtFile));
  answers_need_packing_ = AnswersNeedPacking(model.bytes());
  return ort_.TryOrt(model.bytes(), options_.extensions);
}

// By the words in the model's file.
Result<bool> HasCandidates(const OnnxSource& onnx, uint64_t min_bytes) {
  if (onnx.bytes < min_bytes) return false;
  TRIMS_ASSIGN_OR_RETURN(const MappedFile model, MapFile(onnx.file->path, onnx.file->name));
  return MayBeSteadier({reinterpret_cast<const char*>(model.bytes().data()), model.bytes().size()});
}

// Whether it has made the .ort file. What goes wrong here costs speed and not the variant.
bool OrtVariantMaker::MakeSteadier(const OptimiseJob& job) {
  const Result<bool> candidates = HasCandidates(onnx_, options_.steady_min_bytes);
  if (!candidates.ok() || !*candidates) return false;
  const SteadyOptions options = SteadyOptions::Of(CpuFeatures(), options_.steady_min_bytes);
  const Result<SteadyOrt> made = MakeSteadyOrt(context_.out, kOrtFile, ort_, job, options);
  if (!made.ok()) not_steadier_ = made.status();
  if (!made.ok() || !made->made) return false;
  speed_needs_packing_ = made->needs_packing;
  return true;
}

Status OrtVariantMaker::MakeOrt(const OptimiseJob& job) {
  context_.progress.Report("optimise", 0, 1);
  Status made = MakeSteadier(job) ? Status() : ort_.Optimise(job);
  if (made.ok()) made = TryBytes();
  if (!made.ok()) not_steadier_ = Status();  // there is no such form to be slow
  context_.progress.Report("optimise", 1, 1);
  return made;
}

// The .ort file with its weights where processors load them fastest.
Result<Written> OrtVariantMaker::Aligned() const {
  TRIMS_ASSIGN_OR_RETURN(const MappedFile model, context_.out.Map(kOrtFile));
  TRIMS_ASSIGN_OR_RETURN(OutFile file, context_.out.Create(kAlignedFile));
  const auto append = [&](std::span<const std::byte> piece) { return file.Append(piece); };
  TRIMS_ASSIGN_OR_RETURN(const bool moved, AlignOrtWeights(model.bytes(), append));
  if (!moved) return context_.out.Describe(kOrtFile);
  TRIMS_ASSIGN_OR_RETURN(Written made, std::move(file).Finish());
  TRIMS_ASSIGN_OR_RETURN(const MappedFile aligned, context_.out.Map(kAlignedFile));
  TRIMS_RETURN_IF_ERROR(ort_.TryOrt(aligned.bytes(), options_.extensions));
  TRIMS_RETURN_IF_ERROR(context_.out.Rename(kAlignedFile, kOrtFile));
  made.name = kOrtFile;
  return made;
}

Result<ManifestVariant> OrtVariantMaker::MakeBytesForm() {
  const OptimiseJob job{.model = onnx_.file->path,
                        .out = context_.out.PathOf(kOrtFile),
                        .as_ort = true,
                        .weights_name = {},
                        .extensions = options_.extensions,
                        .linked = LinkedFiles()};
  TRIMS_RETURN_IF_ERROR(MakeOrt(job));
  Result<Written> model = Aligned();
  context_.out.Remove(kAlignedFile);
  if (!model.ok()) {
    not_steadier_ = model.status();
    model = context_.out.Describe(kOrtFile);
  }
  TRIMS_RETURN_IF_ERROR(model.status());
  IndexContent content;
  content.metadata = Metadata(ort_metadata::kFormBytes);
  content.files.push_back({kOrtFile, 0, 0, model->length, true});
  return FinishVariant(context_.out, Variant::kOrt, OrtVariantKey(ort_.version()),
                       {WholeFileExtent(*model)}, std::move(content));
}

bool NeedsRewrite(const OnnxModel& graph) {
  if (graph.nested_external) return true;
  for (const OnnxTensor& tensor : graph.initializers) {
    const bool external = tensor.storage == OnnxTensor::Storage::kExternal;
    if (external && !IsNameable(tensor)) return true;
  }
  return false;
}

// The optimised graph, of whose weights each that is external can be given by name.
Result<OnnxModel> ReadNameable(const OutFolder& out) {
  TRIMS_ASSIGN_OR_RETURN(const FileBytes file, out.Open(kGraphFile));
  TRIMS_ASSIGN_OR_RETURN(OnnxModel graph, ReadOnnx(file));
  if (!NeedsRewrite(graph)) return graph;
  TRIMS_ASSIGN_OR_RETURN(const FileBytes weights, out.Open(kWeightsFile));
  TRIMS_ASSIGN_OR_RETURN(const std::string rewritten, RewriteGraph(file, weights));
  out.Remove(kGraphFile);
  TRIMS_RETURN_IF_ERROR(out.WriteFile(kGraphFile, rewritten).status());
  TRIMS_ASSIGN_OR_RETURN(const FileBytes again, out.Open(kGraphFile));
  TRIMS_ASSIGN_OR_RETURN(graph, ReadOnnx(again));
  if (!NeedsRewrite(graph)) return graph;
  return Status(
      StatusCode::kUnimplemented,
      "an attribute of a node has large weights, which ONNX Runtime takes only from a file");
}

// The weights of the optimised graph, out of the file that ONNX Runtime packed them into.
Result<TensorLayout::Laid> OrtVariantMaker::LayWeights(const OnnxModel& graph) const {
  uint64_t total = 0;
  for (const OnnxTensor& tensor : graph.initializers) {
    if (IsNameable(tensor)) total += tensor.entry.length;
  }
  TRIMS_ASSIGN_OR_RETURN(OutFile file, context_.out.Create(kOrtExtent));
  TensorLayout layout(std::move(file), context_.progress, total);
  if (total == 0) return std::move(layout).Finish();
  TRIMS_ASSIGN_OR_RETURN(const FileBytes weights, context_.out.Open(kWeightsFile));
  for (const OnnxTensor& tensor : graph.initializers) {
    if (IsNameable(tensor)) TRIMS_RETURN_IF_ERROR(layout.AddRange(tensor.entry, weights));
  }
  return std::move(layout).Finish();
}

Status OrtVariantMaker::TryNamed(const OnnxModel& graph, const TensorLayout::Laid& laid) {
  TRIMS_ASSIGN_OR_RETURN(const MappedFile model, context_.out.Map(kGraphFile));
  TRIMS_ASSIGN_OR_RETURN(const MappedFile weights, context_.out.Map(laid.file.name));
  answers_need_packing_ = AnswersNeedPacking(model.bytes());
  LoadJob job{
      .model = model.bytes(), .as_ort = false, .weights = {}, .extensions = options_.extensions};
  auto place = laid.tensors.begin();
  for (const OnnxTensor& tensor : graph.initializers) {
    if (!IsNameable(tensor)) continue;
    const std::vector<uint64_t>& shape = tensor.entry.shape;
    job.weights.push_back({.name = place->name,
                           .onnx_type = tensor.onnx_type,
                           .shape = {shape.begin(), shape.end()},
                           .bytes = weights.bytes().subspan(place->offset, place->length)});
    ++place;
  }
  return ort_.TryLoad(job);
}

Result<ManifestVariant> OrtVariantMaker::MakeNamedForm() {
  TRIMS_RETURN_IF_ERROR(Optimise({.model = onnx_.file->path,
                                  .out = context_.out.PathOf(kGraphFile),
                                  .as_ort = false,
                                  .weights_name = kWeightsFile,
                                  .extensions = options_.extensions,
                                  .linked = LinkedFiles()}));
  TRIMS_ASSIGN_OR_RETURN(const OnnxModel graph, ReadNameable(context_.out));
  TRIMS_ASSIGN_OR_RETURN(TensorLayout::Laid laid, LayWeights(graph));
  context_.out.Remove(kWeightsFile);
  TRIMS_RETURN_IF_ERROR(TryNamed(graph, laid));
  TRIMS_ASSIGN_OR_RETURN(const Written written, context_.out.Describe(kGraphFile));
  IndexContent content;
  content.metadata = Metadata(ort_metadata::kFormNamed);
  content.tensors = std::move(laid.tensors);
  content.files.push_back({kGraphFile, 1, 0, written.length, true});
  return FinishVariant(context_.out, Variant::kOrt, OrtVariantKey(ort_.version()),
                       {WholeFileExtent(laid.file), WholeFileExtent(written)}, std::move(content));
}

// Another form may be possible; with damage or without room none is.
bool IsRefusal(StatusCode code) {
  return code == StatusCode::kUnimplemented || code == StatusCode::kInvalidArgument;
}

// Its words for an operator that no library has registered.
bool MissesOperator(const Status& status) {
  return status.message().find("is not a registered function/op") != std::string::npos;
}

Status WithFlag(const Status& status) {
  if (!MissesOperator(status)) return status;
  return Status(status.code(),
                status.message() +
                    "; if it is an operator of your own, name its library with "
                    "--onnxruntime-extension",
                status.hint());
}

Status NeitherForm(const Status& bytes, const Status& named) {
  if (bytes.message() == named.message()) return WithFlag(bytes);
  return Status(bytes.code(), bytes.message() + "; as a graph: " + named.message(), bytes.hint());
}

Result<ManifestVariant> InAnyForm(OrtVariantMaker& maker, const PrepareContext& context,
                                  bool too_large_for_bytes) {
  if (too_large_for_bytes) {
    Result<ManifestVariant> named = maker.MakeNamedForm();
    return named.ok() ? std::move(named) : Result<ManifestVariant>(WithFlag(named.status()));
  }
  Result<ManifestVariant> bytes = maker.MakeBytesForm();
  if (bytes.ok() || !IsRefusal(bytes.status().code())) return bytes;
  context.out.Remove(kOrtFile);
  Result<ManifestVariant> named = maker.MakeNamedForm();
  if (named.ok() || !IsRefusal(named.status().code())) return named;
  return NeitherForm(bytes.status(), named.status());
}

}  // namespace

Result<ManifestVariant> MakeOrtVariant(const PrepareContext& context, const OnnxSource& onnx,
                                       const OrtLibrary& ort, const OrtVariantOptions& options,
                                       std::vector<std::string>* notes) {
  OrtVariantMaker maker(context, onnx, ort, options);
  TRIMS_RETURN_IF_ERROR(maker.ReadFacts());
  Result<ManifestVariant> made = InAnyForm(maker, context, onnx.bytes > options.bytes_limit);
  if (made.ok() && !maker.not_steadier().ok()) {
    notes->push_back("ort: sessions may compute slower than they could: " +
                     maker.not_steadier().message());
  }
  if (made.ok() && maker.answers_need_packing()) {
    notes->push_back(
        "ort: the answers of MatMulNBits depend on packed weights, of which each session makes a "
        "private copy");
  }
  return made;
}

}  // namespace trims
