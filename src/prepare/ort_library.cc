#include "prepare/ort_library.h"

#include <dlfcn.h>
#include <link.h>
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/macros.h"

namespace trims {
namespace {

constexpr size_t kMaxOrtMessageBytes = 1000;
constexpr char kHint[] = "run scripts/setup, or give --onnxruntime-library PATH";

std::vector<std::string> Candidates(const std::string& path) {
  if (!path.empty()) return {path};
  const char* configured = std::getenv("TRIMS_ONNXRUNTIME_LIBRARY");
  if (configured != nullptr && *configured != '\0') return {configured};
  std::vector<std::string> candidates;
#ifdef TRIMS_DEFAULT_ONNXRUNTIME_LIBRARY
  candidates.emplace_back(TRIMS_DEFAULT_ONNXRUNTIME_LIBRARY);
#endif
  candidates.emplace_back("libonnxruntime.so.1");
  candidates.emplace_back("libonnxruntime.so");
  return candidates;
}

std::string PathOfHandle(void* handle) {
  link_map* map = nullptr;
  return ::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 ? map->l_name : "";
}

// How ONNX Runtime words that memory ran out; it has no code for it.
bool IsOutOfMemory(std::string_view message) {
  return message.find("bad_alloc") != std::string_view::npos ||
         message.find("Failed to allocate memory") != std::string_view::npos;
}

StatusCode CodeOf(int code) {
  switch (code) {
    case ORT_NOT_IMPLEMENTED:
      return StatusCode::kUnimplemented;
    case ORT_NO_SUCHFILE:
      return StatusCode::kNotFound;
    default:
      return StatusCode::kInvalidArgument;
  }
}

template <typename T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

// The calls of one optimisation; the first that fails ends it.
class Optimiser {
 public:
  Optimiser(const OrtApi* api, const OptimiseJob& job) : api_(api), job_(job) {}

  Status Run() {
    TRIMS_RETURN_IF_ERROR(MakeEnv());
    TRIMS_RETURN_IF_ERROR(MakeOptions());
    OrtSession* session = nullptr;
    TRIMS_RETURN_IF_ERROR(
        Check(api_->CreateSession(env_.get(), job_.model.c_str(), options_.get(), &session)));
    api_->ReleaseSession(session);
    return Status();
  }

 private:
  Status Check(OrtStatus* raw) const {
    const Owned<OrtStatus> status(raw, api_->ReleaseStatus);
    if (status == nullptr) return Status();
    return OrtFailure(api_->GetErrorCode(status.get()), api_->GetErrorMessage(status.get()));
  }

  Status MakeEnv() {
    OrtEnv* env = nullptr;
    TRIMS_RETURN_IF_ERROR(Check(api_->CreateEnv(ORT_LOGGING_LEVEL_FATAL, "trims-prepare", &env)));
    env_ = Owned<OrtEnv>(env, api_->ReleaseEnv);
    return Status();
  }

  Status MakeOptions() {
    OrtSessionOptions* options = nullptr;
    TRIMS_RETURN_IF_ERROR(Check(api_->CreateSessionOptions(&options)));
    options_ = Owned<OrtSessionOptions>(options, api_->ReleaseSessionOptions);
    TRIMS_RETURN_IF_ERROR(Check(api_->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL)));
    TRIMS_RETURN_IF_ERROR(Check(api_->SetIntraOpNumThreads(options, 1)));
    TRIMS_RETURN_IF_ERROR(Check(api_->DisableCpuMemArena(options)));
    TRIMS_RETURN_IF_ERROR(Check(api_->SetOptimizedModelFilePath(options, job_.out.c_str())));
    // The session is thrown away: packing its weights would only cost memory.
    TRIMS_RETURN_IF_ERROR(Set("session.disable_prepacking", "1"));
    TRIMS_RETURN_IF_ERROR(Set("session.save_model_format", job_.as_ort ? "ORT" : "ONNX"));
    if (job_.as_ort) return Status();
    TRIMS_RETURN_IF_ERROR(
        Set("session.optimized_model_external_initializers_file_name", job_.weights_name.c_str()));
    return Set("session.optimized_model_external_initializers_min_size_in_bytes",
               std::to_string(job_.weights_min_bytes).c_str());
  }

  Status Set(const char* key, const char* value) {
    return Check(api_->AddSessionConfigEntry(options_.get(), key, value));
  }

  const OrtApi* api_;
  const OptimiseJob& job_;
  Owned<OrtEnv> env_;
  Owned<OrtSessionOptions> options_;
};

}  // namespace

Status OrtFailure(int code, std::string message) {
  std::replace_if(
      message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; },
      ' ');
  message = "ONNX Runtime: " + message.substr(0, kMaxOrtMessageBytes);
  if (!IsOutOfMemory(message)) return Status(CodeOf(code), message);
  return Status(StatusCode::kResourceExhausted, message,
                "optimising it takes more memory than trims-prepare may have: name the other "
                "variants (trims add … --variant files --variant tensors)");
}

Result<OrtLibrary> OrtLibrary::Load(const std::string& path) {
  std::string tried;
  for (const std::string& candidate : Candidates(path)) {
    void* handle = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      tried += (tried.empty() ? "" : "; ") + std::string(::dlerror());
      continue;
    }
    const auto get_base =
        reinterpret_cast<decltype(&OrtGetApiBase)>(::dlsym(handle, "OrtGetApiBase"));
    const OrtApiBase* base = get_base == nullptr ? nullptr : get_base();
    OrtLibrary library;
    library.api_ = base == nullptr ? nullptr : base->GetApi(ORT_API_VERSION);
    library.path_ = PathOfHandle(handle);
    if (library.api_ == nullptr) {
      return Status(StatusCode::kUnimplemented,
                    "'" + candidate + "' is no ONNX Runtime with interface version " +
                        std::to_string(ORT_API_VERSION) + " or newer",
                    kHint);
    }
    library.version_ = base->GetVersionString();
    return library;
  }
  return Status(StatusCode::kUnimplemented, "ONNX Runtime can't be loaded: " + tried, kHint);
}

Status OrtLibrary::Optimise(const OptimiseJob& job) const { return Optimiser(api_, job).Run(); }

}  // namespace trims
