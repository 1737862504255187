#include "prepare/prepare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "base/ort_metadata.h"
#include "prepare/background_hash.h"
#include "prepare/files_variant.h"
#include "prepare/model_format.h"
#include "prepare/mxnet_variant.h"
#include "prepare/onnx_source.h"
#include "prepare/prepare_context.h"
#include "prepare/safetensors_variant.h"
#include "prepare/tensors_variant.h"
#include "prepare/unfinished.h"
#include "source/source_uri.h"

namespace trims {
namespace {

constexpr size_t kMaxNoteBytes = 2000;
constexpr size_t kMaxNotes = 100;
static_assert(kMaxNotes < kMaxManifestNotes);

bool Wants(const std::vector<Variant>& variants, Variant kind) {
  return variants.empty() || std::find(variants.begin(), variants.end(), kind) != variants.end();
}

Status NotForFormat(Variant kind, const std::string& format) {
  const char* needs =
      kind == Variant::kOrt ? "an ONNX model" : "a safetensors, ONNX or MXNet model";
  return Status(StatusCode::kInvalidArgument, "the variant " + std::string(VariantName(kind)) +
                                                  " needs " + needs + ", the source is '" + format +
                                                  "'");
}

std::string ManifestNote(std::string note) {
  for (char& c : note) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  if (note.size() > kMaxNoteBytes) note.resize(kMaxNoteBytes);
  return note;
}

class Run {
 public:
  Run(const PrepareOptions& options, const Result<OrtLibrary>& ort, const PrepareContext& context)
      : options_(options), ort_(ort), context_(context) {
    manifest_.sandbox = options.sandbox;
  }

  Result<Manifest> All() {
    if (options_.undigested && !FilesOnly()) {
      return Status(StatusCode::kInvalidArgument, "--undigested: expected '--variant files' alone");
    }
    TRIMS_ASSIGN_OR_RETURN(format_, FormatOf(context_.source, options_.precision, FilesOnly()));
    for (const std::string& note : format_.notes) manifest_.notes.push_back(ManifestNote(note));
    TRIMS_RETURN_IF_ERROR(ReadModel());
    NoteUnfinishedFiles();
    TRIMS_ASSIGN_OR_RETURN(const HashedFiles hashed, MakeVariants());
    TRIMS_RETURN_IF_ERROR(Doubt());
    TRIMS_RETURN_IF_ERROR(context_.source.CheckUnchanged());
    manifest_.files = hashed.files;
    return Finish();
  }

 private:
  // The source's digests are made beside the other variants; without any there is nothing to overlap.
  Result<HashedFiles> MakeVariants() {
    if (!Applies(Variant::kTensors) && !Applies(Variant::kOrt)) {
      TRIMS_ASSIGN_OR_RETURN(HashedFiles hashed,
                             options_.undigested ? Result<HashedFiles>(UndigestedFiles(context_))
                                                 : HashFiles(context_));
      TRIMS_RETURN_IF_ERROR(KeepFiles(hashed));
      return hashed;
    }
    BackgroundHash hash(context_);
    TRIMS_RETURN_IF_ERROR(MakeOthers());
    TRIMS_ASSIGN_OR_RETURN(HashedFiles hashed, hash.Wait());
    TRIMS_RETURN_IF_ERROR(KeepFiles(hashed));
    return hashed;
  }

  // First in the manifest.
  Status KeepFiles(const HashedFiles& hashed) {
    if (!Wants(options_.variants, Variant::kFiles)) return Status();
    TRIMS_RETURN_IF_ERROR(Keep(InFolder(Variant::kFiles, [&](const PrepareContext& context) {
      return MakeFilesVariant(context, hashed, FilesMetadata());
    })));
    std::rotate(manifest_.variants.begin(), manifest_.variants.end() - 1, manifest_.variants.end());
    return Status();
  }

  Status MakeOthers() {
    if (Applies(Variant::kTensors)) {
      TRIMS_RETURN_IF_ERROR(KeepOrNote(
          Variant::kTensors, InFolder(Variant::kTensors, [this](const PrepareContext& context) {
            return MakeTensors(context);
          })));
    }
    if (!Applies(Variant::kOrt)) return Status();
    return KeepOrNote(Variant::kOrt, InFolder(Variant::kOrt, [this](const PrepareContext& context) {
                        return MakeOrt(context);
                      }));
  }

  bool AskedByName(Variant kind) const {
    return !options_.variants.empty() && Wants(options_.variants, kind);
  }

  // Asked for by name, or asked for by nobody in particular and possible for this format.
  bool Applies(Variant kind) const {
    if (!options_.variants.empty()) return Wants(options_.variants, kind);
    return onnx_.has_value() ||
           ((HasSafetensors() || format_.mxnet.params) && kind == Variant::kTensors);
  }

  bool HasSafetensors() const { return !format_.safetensors.components.empty(); }

  bool FilesOnly() const {
    return !options_.variants.empty() &&
           std::all_of(options_.variants.begin(), options_.variants.end(),
                       [](Variant kind) { return kind == Variant::kFiles; });
  }

  // What makes a session of the files needs to know which of them is the model.
  std::map<std::string, std::string> FilesMetadata() const {
    std::map<std::string, std::string> metadata{{"format", format_.name}};
    if (format_.onnx)
      metadata[ort_metadata::kMainFile] = context_.source.files()[*format_.onnx].name;
    if (onnx_ && onnx_->model.nested_external) metadata[ort_metadata::kNestedExternal] = "1";
    return metadata;
  }

  void NoteUnfinishedFiles() {
    std::vector<size_t> parts = format_.Parts();
    if (onnx_) {
      for (const auto& [location, file] : onnx_->external) {
        parts.push_back(static_cast<size_t>(file - context_.source.files().data()));
      }
    }
    const std::string note = NoteUnfinished(context_.source, parts);
    if (!note.empty()) manifest_.notes.push_back(ManifestNote(note));
  }

  // Parsed even for variants that could do without, so that a damaged model is found out when it is
  // added; not if only its files were asked for.
  Status ReadModel() {
    if (!format_.onnx || FilesOnly()) return Status();
    TRIMS_ASSIGN_OR_RETURN(onnx_,
                           ReadOnnxSource(context_.source, context_.source.files()[*format_.onnx]));
    const bool will_be_judged = Applies(Variant::kOrt) && ort_.ok();
    return will_be_judged ? Status() : onnx_->model.doubt;
  }

  // A variant in a folder of its own, which is gone again if it can't be made: nothing stays that no
  // manifest names.
  template <typename Make>
  Result<ManifestVariant> InFolder(Variant kind, const Make& make) {
    const std::string name(VariantName(kind));
    TRIMS_ASSIGN_OR_RETURN(const OutFolder folder, context_.out.MakeFolder(name));
    Result<ManifestVariant> variant =
        make(PrepareContext{context_.source, folder, context_.progress, options_.layers});
    if (variant.ok()) {
      variant->folder = name;
    } else {
      context_.out.RemoveFolder(name);
    }
    return variant;
  }

  Result<ManifestVariant> MakeTensors(const PrepareContext& context) {
    if (HasSafetensors())
      return MakeTensorsFromSafetensors(context, format_.safetensors.components, &manifest_.notes);
    if (onnx_) return MakeTensorsFromOnnx(context, *onnx_, &manifest_.notes);
    if (format_.mxnet.params) return MakeTensorsFromMxnet(context, format_.mxnet, &manifest_.notes);
    return NotForFormat(Variant::kTensors, format_.name);
  }

  Result<ManifestVariant> MakeOrt(const PrepareContext& context) {
    if (!onnx_) return NotForFormat(Variant::kOrt, format_.name);
    if (!ort_.ok()) return ort_.status();
    return MakeOrtVariant(context, *onnx_, *ort_,
                          {.bytes_limit = options_.ort_bytes_limit,
                           .steady_min_bytes = options_.steady_min_bytes,
                           .extensions = options_.onnxruntime_extensions},
                          &manifest_.notes);
  }

  // What the reader could not follow is damage, unless ONNX Runtime took the model as it is.
  Status Doubt() const {
    const bool taken =
        std::any_of(manifest_.variants.begin(), manifest_.variants.end(),
                    [](const ManifestVariant& made) { return made.kind == Variant::kOrt; });
    return onnx_ && !taken ? onnx_->model.doubt : Status();
  }

  Status Keep(Result<ManifestVariant> variant) {
    if (!variant.ok()) return std::move(variant).status();
    manifest_.variants.push_back(*std::move(variant));
    return Status();
  }

  // What says that this model or this machine can't have the variant is a note; damage and lack of
  // room never are.
  bool IsNoteworthy(Variant kind, StatusCode code) const {
    if (AskedByName(kind)) return false;
    if (code == StatusCode::kUnimplemented || code == StatusCode::kTooLarge) return true;
    return code ==
           (kind == Variant::kOrt ? StatusCode::kInvalidArgument : StatusCode::kFailedPrecondition);
  }

  Status KeepOrNote(Variant kind, Result<ManifestVariant> variant) {
    if (variant.ok() || !IsNoteworthy(kind, variant.status().code())) {
      return Keep(std::move(variant));
    }
    const Status status = variant.status();
    manifest_.notes.push_back(
        ManifestNote("no " + std::string(VariantName(kind)) + ": " + status.message()));
    return Status();
  }

  // A folder may give more to say than anybody reads.
  void LimitNotes() {
    std::vector<std::string>& notes = manifest_.notes;
    if (notes.size() <= kMaxNotes) return;
    const size_t more = notes.size() - kMaxNotes;
    notes.resize(kMaxNotes);
    notes.push_back("and " + std::to_string(more) + " more notes like these");
  }

  Result<Manifest> Finish() {
    LimitNotes();
    for (ManifestVariant& variant : manifest_.variants) variant.precision = options_.precision;
    manifest_.digest = ModelDigest(manifest_.files);
    manifest_.format = format_.name;
    manifest_.source = context_.source.uri().ToString();
    const std::string json = ManifestToJson(manifest_);
    TRIMS_RETURN_IF_ERROR(context_.out.WriteFile("manifest.json.new", json).status());
    TRIMS_RETURN_IF_ERROR(context_.out.Rename("manifest.json.new", "manifest.json"));
    return ParseManifest(json);
  }

  const PrepareOptions& options_;
  const Result<OrtLibrary>& ort_;
  const PrepareContext& context_;
  ModelFormat format_;
  std::optional<OnnxSource> onnx_;
  Manifest manifest_;
};

}  // namespace

Result<Manifest> Prepare(const PrepareOptions& options, const Result<OrtLibrary>& ort,
                         PrepareProgress& progress) {
  TRIMS_ASSIGN_OR_RETURN(FileTree source, FileTree::At(options.source));
  TRIMS_RETURN_IF_ERROR(source.List().status());
  for (const std::string& name : options.companions) {
    const Status included = source.Include(name);
    if (!included.ok() && included.code() != StatusCode::kNotFound) return included;
  }
  const OutFolder out(options.out);
  const PrepareContext context{source, out, progress};
  return Run(options, ort, context).All();
}

}  // namespace trims
