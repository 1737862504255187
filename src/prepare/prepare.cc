#include "prepare/prepare.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "prepare/files_variant.h"
#include "prepare/model_format.h"
#include "prepare/onnx_source.h"
#include "prepare/prepare_context.h"
#include "prepare/tensors_variant.h"
#include "source/source_uri.h"

namespace trims {
namespace {

constexpr size_t kMaxNoteBytes = 2000;

bool Wants(const std::vector<Variant>& variants, Variant kind) {
  return variants.empty() || std::find(variants.begin(), variants.end(), kind) != variants.end();
}

Status NotForFormat(Variant kind, const std::string& format) {
  const char* needs = kind == Variant::kOrt ? "an ONNX model" : "a safetensors or ONNX model";
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
    TRIMS_ASSIGN_OR_RETURN(format_, FormatOf(context_.source));
    if (!format_.note.empty()) manifest_.notes.push_back(format_.note);
    TRIMS_ASSIGN_OR_RETURN(const HashedFiles hashed, HashFiles(context_));
    TRIMS_RETURN_IF_ERROR(ReadModel());
    if (Wants(options_.variants, Variant::kFiles)) {
      TRIMS_RETURN_IF_ERROR(Keep(InFolder(Variant::kFiles, [&](const PrepareContext& context) {
        return MakeFilesVariant(context, hashed, FilesMetadata());
      })));
    }
    if (Applies(Variant::kTensors)) {
      TRIMS_RETURN_IF_ERROR(KeepOrNote(
          Variant::kTensors, InFolder(Variant::kTensors, [this](const PrepareContext& context) {
            return MakeTensors(context);
          })));
    }
    if (Applies(Variant::kOrt)) {
      TRIMS_RETURN_IF_ERROR(
          KeepOrNote(Variant::kOrt, InFolder(Variant::kOrt, [this](const PrepareContext& context) {
                       return MakeOrt(context);
                     })));
    }
    TRIMS_RETURN_IF_ERROR(context_.source.CheckUnchanged());
    manifest_.files = hashed.files;
    return Finish();
  }

 private:
  bool AskedByName(Variant kind) const {
    return !options_.variants.empty() && Wants(options_.variants, kind);
  }

  std::map<std::string, std::string> FilesMetadata() const {
    std::map<std::string, std::string> metadata = {{"format", format_.name}};
    if (format_.name == "onnx") {
      metadata["onnx.model"] = context_.source.files()[format_.parts[0]].name;
    }
    return metadata;
  }

  // Asked for by name, or asked for by nobody in particular and possible for this format.
  bool Applies(Variant kind) const {
    if (!options_.variants.empty()) return Wants(options_.variants, kind);
    return onnx_.has_value() || (format_.name == "safetensors" && kind == Variant::kTensors);
  }

  // Parsed even for variants that could do without, so that a damaged model is found out when it is
  // added; not if only its files were asked for.
  Status ReadModel() {
    const bool files_only = std::all_of(options_.variants.begin(), options_.variants.end(),
                                        [](Variant kind) { return kind == Variant::kFiles; });
    if (format_.name != "onnx" || (!options_.variants.empty() && files_only)) return Status();
    TRIMS_ASSIGN_OR_RETURN(
        onnx_, ReadOnnxSource(context_.source, context_.source.files()[format_.parts[0]]));
    return Status();
  }

  // A variant in a folder of its own, which is gone again if it can't be made: nothing stays that no
  // manifest names.
  template <typename Make>
  Result<ManifestVariant> InFolder(Variant kind, const Make& make) {
    const std::string name(VariantName(kind));
    TRIMS_ASSIGN_OR_RETURN(const OutFolder folder, context_.out.MakeFolder(name));
    Result<ManifestVariant> variant =
        make(PrepareContext{context_.source, folder, context_.progress});
    if (variant.ok()) {
      variant->folder = name;
    } else {
      context_.out.RemoveFolder(name);
    }
    return variant;
  }

  Result<ManifestVariant> MakeTensors(const PrepareContext& context) {
    if (onnx_) return MakeTensorsFromOnnx(context, *onnx_, &manifest_.notes);
    if (format_.name == "safetensors") return MakeTensorsFromSafetensors(context, format_.parts);
    return NotForFormat(Variant::kTensors, format_.name);
  }

  Result<ManifestVariant> MakeOrt(const PrepareContext& context) {
    if (!onnx_) return NotForFormat(Variant::kOrt, format_.name);
    if (!ort_.ok()) return ort_.status();
    return MakeOrtVariant(
        context, *onnx_, *ort_,
        {.bytes_limit = options_.ort_bytes_limit, .extensions = options_.onnxruntime_extensions},
        &manifest_.notes);
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

  Result<Manifest> Finish() {
    manifest_.digest = ModelDigest(manifest_.files);
    manifest_.format = format_.name;
    manifest_.source = SourceUri::OfPath(context_.source.root()).ToString();
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
  const OutFolder out(options.out);
  const PrepareContext context{source, out, progress};
  return Run(options, ort, context).All();
}

}  // namespace trims
