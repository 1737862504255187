#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "trims/onnxruntime.h"

#include "adapters/onnxruntime/element_type.h"
#include "base/macros.h"
#include "base/ort_variant_key.h"

namespace trims::onnxruntime {
namespace {

// What the preparer writes into an `ort` variant; docs/adapters.md describes both forms.
constexpr std::string_view kFormKey = "ort.form";
constexpr std::string_view kFormBytes = "bytes";  // one file in ONNX Runtime's own format
constexpr std::string_view kFormNamed =
    "named";  // an ONNX graph without weights, and the weights as tensors

// In the named form every initializer of the graph claims to lie in /dev/null: ONNX Runtime insists
// that the file exists, and an empty one can never be read in place of the tensor.
constexpr char kPlaceholderFolder[] = "/dev";

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

Ort::SessionOptions MakeSessionOptions(const Options& options) {
  Ort::SessionOptions made =
      options.session_options ? options.session_options->Clone() : Ort::SessionOptions();
  made.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  made.AddConfigEntry("session.disable_prepacking", options.prepacking ? "0" : "1");
  if (options.intra_op_threads > 0) made.SetIntraOpNumThreads(options.intra_op_threads);
  if (options.inter_op_threads > 0) made.SetInterOpNumThreads(options.inter_op_threads);
  if (!options.memory_arena) made.DisableCpuMemArena();
  return made;
}

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
    const std::string_view form = model_.Metadata(kFormKey);
    TRIMS_ASSIGN_OR_RETURN(const FileView file, OnlyFile(model_));
    if (form == kFormBytes) return CreateFromBytes(file, options);
    if (form == kFormNamed) return CreateFromNamed(file, options);
    return Status(StatusCode::kUnimplemented,
                  "'" + model_.info().reference + "' is in the ort form '" + std::string(form) +
                      "'; this library knows 'bytes' and 'named'",
                  "use a libtrims as new as the daemon");
  }

  Ort::Session& session() { return *session_; }
  const Model& model() const { return model_; }

 private:
  Status CreateFromBytes(const FileView& file, const Options& options) {
    return Guard([&] {
      Ort::SessionOptions made = MakeSessionOptions(options);
      made.AddConfigEntry("session.load_model_format", "ORT");
      made.AddConfigEntry("session.use_ort_model_bytes_directly", "1");
      made.AddConfigEntry("session.use_ort_model_bytes_for_initializers", "1");
      session_.emplace(env_, file.bytes.data(), file.bytes.size(), made);
    });
  }

  Status CreateFromNamed(const FileView& graph, const Options& options) {
    return Guard([&] {
      Ort::SessionOptions made = MakeSessionOptions(options);
      made.AddConfigEntry("session.model_external_initializers_file_folder_path",
                          kPlaceholderFolder);
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
  std::optional<Ort::Session> session_;
};

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Ort::Session& Session::session() { return impl_->session(); }
const Model& Session::model() const { return impl_->model(); }

Result<Session> Session::Open(Client& client, std::string_view reference, const Options& options) {
  TRIMS_ASSIGN_OR_RETURN(Model model, client.Open(reference, {.variant = Variant::kOrt,
                                                              .variant_key = VariantKey(),
                                                              .deadline = options.deadline}));
  return Over(std::move(model), options);
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
