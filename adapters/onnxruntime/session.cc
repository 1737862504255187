#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "trims/onnxruntime.h"

#include "adapters/onnxruntime/element_type.h"
#include "adapters/onnxruntime/option_check.h"
#include "base/macros.h"
#include "base/ort_metadata.h"
#include "base/ort_variant_key.h"

namespace trims::onnxruntime {
namespace {

// In the named form every initializer of the graph claims to lie in /dev/null: ONNX Runtime insists
// that the file exists, and an empty one can never be read in place of the tensor.
constexpr char kPlaceholderFolder[] = "/dev";

// Where ONNX Runtime looks for external data that it wasn't given. Without one it takes what happens to
// lie in the working directory; nothing can lie here.
constexpr char kFolderEntry[] = "session.model_external_initializers_file_folder_path";
constexpr char kNowhere[] = "/dev/null";

// Runs `call`, which may throw what ONNX Runtime's C++ API throws.
template <typename Call>
Status Guard(const Call& call) {
  try {
    call();
    return Status();
  } catch (const Ort::Exception& error) {
    return Status(StatusCode::kInternal, std::string("ONNX Runtime: ") + error.what());
  } catch (const std::exception& error) {
    return Status(StatusCode::kResourceExhausted, std::string("ONNX Runtime: ") + error.what());
  }
}

Ort::SessionOptions AsAsked(const Options& options) {
  Ort::SessionOptions made =
      options.session_options ? options.session_options->Clone() : Ort::SessionOptions();
  if (options.intra_op_threads > 0) made.SetIntraOpNumThreads(options.intra_op_threads);
  if (options.inter_op_threads > 0) made.SetInterOpNumThreads(options.inter_op_threads);
  if (!options.memory_arena) made.DisableCpuMemArena();
  return made;
}

Ort::SessionOptions MakeSessionOptions(const Options& options, const Model& model) {
  Ort::SessionOptions made = AsAsked(options);
  const char* usual = model.Metadata(ort_metadata::kPrepacking) == "1" ? "0" : "1";
  const std::string asked = made.GetConfigEntryOrDefault("session.disable_prepacking", usual);
  made.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  made.AddConfigEntry("session.disable_prepacking", options.prepacking ? "0" : asked.c_str());
  return made;
}

std::string NeedsFile(const std::string& reference, const std::string& why) {
  return "'" + reference + "': " + why + ", which needs the model's own file";
}

// ONNX Runtime finds such data by a path only, and a session of shared bytes has none.
Status NestedExternalData(const std::string& reference) {
  return Status(
      StatusCode::kUnimplemented,
      "'" + reference +
          "': its own file keeps weights of an inner graph or a function in another file, "
          "which ONNX Runtime can't be given from memory",
      "open it with the default options, or give ONNX Runtime the path of the file");
}

Status AddedWithout(const std::string& reference, const std::string& why) {
  return Status(StatusCode::kFailedPrecondition,
                NeedsFile(reference, why) + ", and it was added without",
                "trims add … --variant files --variant ort");
}

// The files beside the model's own, as it names them: relative to its folder.
struct ExternalData {
  ExternalData(const Model& model, std::string_view main) {
    const size_t slash = main.rfind('/');
    const std::string_view prefix = main.substr(0, slash == std::string_view::npos ? 0 : slash + 1);
    for (size_t i = 0; i < model.file_count(); ++i) {
      const FileView file = model.file(i);
      if (file.name == main || file.bytes.empty() || !file.name.starts_with(prefix)) continue;
      names.emplace_back(file.name.substr(prefix.size()));
      // ONNX Runtime takes pointers to non-const and only reads.
      buffers.push_back(const_cast<char*>(reinterpret_cast<const char*>(file.bytes.data())));
      lengths.push_back(file.bytes.size());
    }
  }
  std::vector<std::basic_string<ORTCHAR_T>> names;
  std::vector<char*> buffers;
  std::vector<size_t> lengths;
};

Result<FileView> OnlyFile(const Model& model) {
  if (model.file_count() == 1) return model.file(0);
  return Status(StatusCode::kDataLoss, "expected one file in the ort variant of '" +
                                           model.info().reference + "', found " +
                                           std::to_string(model.file_count()));
}

}  // namespace

// Members end from the last to the first: the session, the values it reads, the bytes under them.
class Session::Impl {
 public:
  Impl(Model model, const Options& options)
      : model_(std::move(model)), env_(options.env ? *options.env : SharedEnv()) {}

  Status Create(const Options& options) {
    if (model_.info().variant == Variant::kFiles) return CreateFromOriginal(options);
    TRIMS_RETURN_IF_ERROR(CheckPrepared(options));
    const std::string_view form = model_.Metadata(ort_metadata::kForm);
    TRIMS_ASSIGN_OR_RETURN(const FileView file, OnlyFile(model_));
    if (form == ort_metadata::kFormBytes) return CreateFromBytes(file, options);
    if (form == ort_metadata::kFormNamed) return CreateFromNamed(file, options);
    return Status(StatusCode::kUnimplemented,
                  "'" + model_.info().reference + "' is in the ort form '" + std::string(form) +
                      "'; this library knows 'bytes' and 'named'",
                  "use a libtrims as new as the daemon");
  }

  Ort::Session& session() { return *session_; }
  const Model& model() const { return model_; }
  Form form() const { return form_; }
  std::string& why_original() { return why_original_; }

 private:
  Status CheckPrepared(const Options& options) {
    if (options.original) why_original_ = "Options::original is set";
    if (options.session_options != nullptr && why_original_.empty()) {
      TRIMS_RETURN_IF_ERROR(Guard([&] {
        why_original_ =
            WhyOriginal(env_, *options.session_options, model_.Metadata(ort_metadata::kProbe));
      }));
    }
    if (why_original_.empty()) return Status();
    return Status(StatusCode::kFailedPrecondition,
                  NeedsFile(model_.info().reference, why_original_),
                  "give Session::Over its files variant, or Session::Open its name");
  }

  Status CreateFromOriginal(const Options& options) {
    form_ = Form::kOriginal;
    const std::string_view main = model_.Metadata(ort_metadata::kMainFile);
    if (main.empty()) {
      return Status(StatusCode::kUnimplemented,
                    "'" + model_.info().reference + "' is no ONNX model", "use its files");
    }
    if (!model_.Metadata(ort_metadata::kNestedExternal).empty()) {
      return NestedExternalData(model_.info().reference);
    }
    TRIMS_ASSIGN_OR_RETURN(const FileView file, model_.File(main));
    const ExternalData data(model_, main);
    return Guard([&] {
      Ort::SessionOptions made = AsAsked(options);
      if (made.GetConfigEntryOrDefault(kFolderEntry, "").empty()) {
        made.AddConfigEntry(kFolderEntry, kNowhere);
      }
      if (!data.names.empty()) {
        made.AddExternalInitializersFromFilesInMemory(data.names, data.buffers, data.lengths);
      }
      session_.emplace(env_, file.bytes.data(), file.bytes.size(), made);
    });
  }

  Status CreateFromBytes(const FileView& file, const Options& options) {
    return Guard([&] {
      form_ = Form::kBytes;
      Ort::SessionOptions made = MakeSessionOptions(options, model_);
      made.AddConfigEntry("session.load_model_format", "ORT");
      made.AddConfigEntry("session.use_ort_model_bytes_directly", "1");
      made.AddConfigEntry("session.use_ort_model_bytes_for_initializers", "1");
      session_.emplace(env_, file.bytes.data(), file.bytes.size(), made);
    });
  }

  Status CreateFromNamed(const FileView& graph, const Options& options) {
    return Guard([&] {
      form_ = Form::kNamed;
      Ort::SessionOptions made = MakeSessionOptions(options, model_);
      made.AddConfigEntry(kFolderEntry, kPlaceholderFolder);
      AddInitializers(made);
      session_.emplace(env_, graph.bytes.data(), graph.bytes.size(), made);
    });
  }

  void AddInitializers(Ort::SessionOptions& options) {
    const Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
    initializers_.reserve(model_.tensor_count());
    for (size_t i = 0; i < model_.tensor_count(); ++i) {
      const TensorView tensor = model_.tensor(i);
      const std::vector<int64_t> shape(tensor.shape.begin(), tensor.shape.end());
      // ONNX Runtime takes a pointer to non-const and only reads; the pages refuse anything else.
      initializers_.push_back(Ort::Value::CreateTensor(
          memory, const_cast<std::byte*>(tensor.bytes.data()), tensor.bytes.size(), shape.data(),
          shape.size(), ElementType(tensor.dtype)));
      options.AddInitializer(std::string(tensor.name).c_str(), initializers_.back());
    }
  }

  Model model_;
  std::vector<Ort::Value> initializers_;
  const Ort::Env& env_;
  Form form_ = Form::kBytes;
  std::string why_original_;
  std::optional<Ort::Session> session_;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Ort::Session& Session::session() { return impl_->session(); }
const Model& Session::model() const { return impl_->model(); }

Form Session::form() const { return impl_->form(); }
const std::string& Session::why_original() const { return impl_->why_original(); }

std::string Session::GraphName() {
  if (form() == Form::kBytes) return std::string(model().Metadata(ort_metadata::kGraphName));
  Ort::AllocatorWithDefaultOptions allocator;
  return session().GetModelMetadata().GetGraphNameAllocated(allocator).get();
}

namespace {

constexpr StatusCode kNone = StatusCode::kNotFound;  // there is no such variant, or no model

Result<Model> OpenVariant(Client& client, std::string_view reference, Variant variant,
                          const Options& options) {
  return client.Open(reference, {.variant = variant,
                                 .variant_key = variant == Variant::kOrt ? VariantKey() : "",
                                 .deadline = options.deadline,
                                 .tier = {},
                                 .progress = options.progress});
}

// The version that was opened before, whatever the name means by now.
std::string Exactly(std::string_view reference, const Model& model) {
  const std::string_view name = reference.substr(0, reference.find_first_of(":@"));
  return std::string(name) + "@sha256:" + model.info().digest;
}

}  // namespace

Result<Session> Session::Open(Client& client, std::string_view reference, const Options& options) {
  if (options.original) {
    TRIMS_ASSIGN_OR_RETURN(Model files, OpenVariant(client, reference, Variant::kFiles, options));
    return Over(std::move(files), options);
  }
  Result<Model> model = OpenVariant(client, reference, Variant::kOrt, options);
  if (model.ok()) {
    const std::string exactly = Exactly(reference, *model);
    return OpenPrepared(client, exactly, *std::move(model), options);
  }
  if (model.status().code() != kNone) return model.status();
  Result<Model> files = OpenVariant(client, reference, Variant::kFiles, options);
  if (!files.ok()) return files.status().code() == kNone ? model.status() : files.status();
  if (files->Metadata(ort_metadata::kMainFile).empty()) return model.status();
  return OpenOriginal(*std::move(files), options, "it has no ort variant");
}

Result<Session> Session::OpenPrepared(Client& client, const std::string& exactly, Model model,
                                      const Options& options) {
  std::unique_ptr<Impl> impl;
  TRIMS_RETURN_IF_ERROR(Guard([&] { impl = std::make_unique<Impl>(std::move(model), options); }));
  const Status made = impl->Create(options);
  if (made.ok()) return Session(std::move(impl));
  const bool refused = made.code() == StatusCode::kInternal;  // its own file decides
  if (impl->why_original().empty() && !refused) return made;
  const std::string why = refused ? made.message() : impl->why_original();
  Result<Model> files = OpenVariant(client, exactly, Variant::kFiles, options);
  if (!files.ok() && files.status().code() != kNone) return files.status();
  if (!files.ok()) return refused ? made : AddedWithout(impl->model().info().reference, why);
  return OpenOriginal(*std::move(files), options, why);
}

Result<Session> Session::OpenOriginal(Model files, const Options& options, const std::string& why) {
  TRIMS_ASSIGN_OR_RETURN(Session session, Over(std::move(files), options));
  session.impl_->why_original() = why;
  return session;
}

Result<Session> Session::Over(Model model, const Options& options) {
  std::unique_ptr<Impl> impl;
  TRIMS_RETURN_IF_ERROR(Guard([&] { impl = std::make_unique<Impl>(std::move(model), options); }));
  TRIMS_RETURN_IF_ERROR(impl->Create(options));
  return Session(std::move(impl));
}

std::string VariantKey() { return OrtVariantKey(OrtGetApiBase()->GetVersionString()); }

const Ort::Env& SharedEnv() {
  static const Ort::Env* const env = new Ort::Env(ORT_LOGGING_LEVEL_WARNING, "trims");
  return *env;
}

}  // namespace trims::onnxruntime
