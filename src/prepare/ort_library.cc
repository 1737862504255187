#include "prepare/ort_library.h"

#include <dlfcn.h>
#include <link.h>
#include <onnxruntime_c_api.h>

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "prepare/ort_session_builder.h"

namespace trims {
namespace {

constexpr size_t kMaxOrtMessageBytes = 1000;
constexpr char kHint[] = "run scripts/setup, or give --onnxruntime-library PATH";
constexpr char kExtensionHint[] =
    "give the shared library that the program passes to register_custom_ops_library";

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

Status OrtLibrary::LoadExtension(const std::string& path) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Status(StatusCode::kInvalidArgument,
                  "--onnxruntime-extension: " + std::string(::dlerror()), kExtensionHint);
  }
  if (::dlsym(handle, "RegisterCustomOps") != nullptr) return Status();
  return Status(StatusCode::kInvalidArgument,
                "--onnxruntime-extension: '" + path + "' has no function RegisterCustomOps",
                kExtensionHint);
}

Status OrtLibrary::Optimise(const OptimiseJob& job) const {
  OrtSessionBuilder builder(api_);
  TRIMS_RETURN_IF_ERROR(builder.Begin(job.extensions));
  TRIMS_RETURN_IF_ERROR(builder.Optimise(job.as_it_is ? ORT_DISABLE_ALL : ORT_ENABLE_ALL));
  TRIMS_RETURN_IF_ERROR(builder.WriteTo(job.out));
  TRIMS_RETURN_IF_ERROR(builder.Set("session.save_model_format", job.as_ort ? "ORT" : "ONNX"));
  if (!job.as_ort && !job.weights_name.empty()) {
    TRIMS_RETURN_IF_ERROR(
        builder.Set("session.optimized_model_external_initializers_file_name", job.weights_name));
    TRIMS_RETURN_IF_ERROR(
        builder.Set("session.optimized_model_external_initializers_min_size_in_bytes",
                    std::to_string(job.weights_min_bytes)));
  }
  for (const LinkedFile& file : job.linked) TRIMS_RETURN_IF_ERROR(builder.AddFile(file));
  return job.linked.empty() ? builder.FromFile(job.model) : builder.FromMappedFile(job.model);
}

Status OrtLibrary::TryOrt(std::span<const std::byte> model,
                          const std::vector<std::string>& extensions) const {
  return TryLoad({.model = model, .as_ort = true, .weights = {}, .extensions = extensions});
}

Status OrtLibrary::TryLoad(const LoadJob& job) const {
  OrtSessionBuilder builder(api_);
  TRIMS_RETURN_IF_ERROR(builder.Begin(job.extensions));
  TRIMS_RETURN_IF_ERROR(builder.Optimise(ORT_DISABLE_ALL));
  if (job.as_ort) {
    TRIMS_RETURN_IF_ERROR(builder.Set("session.load_model_format", "ORT"));
    TRIMS_RETURN_IF_ERROR(builder.Set("session.use_ort_model_bytes_directly", "1"));
    TRIMS_RETURN_IF_ERROR(builder.Set("session.use_ort_model_bytes_for_initializers", "1"));
  } else {
    TRIMS_RETURN_IF_ERROR(
        builder.Set("session.model_external_initializers_file_folder_path", "/dev"));
  }
  for (const OrtWeight& weight : job.weights) TRIMS_RETURN_IF_ERROR(builder.AddWeight(weight));
  return builder.FromBytes(job.model);
}

}  // namespace trims
