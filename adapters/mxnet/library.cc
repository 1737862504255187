#include "adapters/mxnet/library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string_view>

#include "adapters/mxnet/shared_weights.h"
#include "base/macros.h"

namespace trims::mxnet {
namespace {

constexpr int kVersion = 10901;

std::string PathOf(const std::string& asked) {
  if (!asked.empty()) return asked;
  const char* named = ::secure_getenv("TRIMS_MXNET_LIBRARY");
  return named != nullptr && *named != '\0' ? named : "libmxnet.so";
}

// Looks names up in one library, and remembers whether all were there.
class Finder {
 public:
  explicit Finder(void* loaded) : loaded_(loaded) {}

  template <typename Function>
  void Find(const char* name, Function* function) {
    *function = reinterpret_cast<Function>(::dlsym(loaded_, name));
    if (*function == nullptr && missing_.empty()) missing_ = name;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* loaded_;
  std::string missing_;
};

std::string FindAll(void* loaded, Library* found) {
  Finder finder(loaded);
  finder.Find("MXGetLastError", &found->last_error);
  finder.Find("MXGetVersion", &found->version);
  finder.Find("MXNDArrayCreateEx", &found->array_create);
  finder.Find("MXNDArrayFromDLPackEx", &found->array_from_dlpack);
  finder.Find("MXNDArrayFree", &found->array_free);
  finder.Find("MXNDArrayGetShapeEx", &found->array_shape);
  finder.Find("MXNDArrayGetDType", &found->array_type);
  finder.Find("MXNDArraySyncCopyFromCPU", &found->array_copy_from);
  finder.Find("MXNDArraySyncCopyToCPU", &found->array_copy_to);
  finder.Find("MXNDArrayWaitAll", &found->wait_all);
  finder.Find("MXSymbolCreateFromJSON", &found->symbol_create);
  finder.Find("MXSymbolFree", &found->symbol_free);
  finder.Find("MXSymbolListArguments", &found->symbol_arguments);
  finder.Find("MXSymbolListAuxiliaryStates", &found->symbol_states);
  finder.Find("MXSymbolInferShapeEx", &found->symbol_shapes);
  finder.Find("MXExecutorBindEX", &found->executor_bind);
  finder.Find("MXExecutorFree", &found->executor_free);
  finder.Find("MXExecutorForward", &found->executor_forward);
  finder.Find("MXExecutorOutputs", &found->executor_outputs);
  return finder.missing();
}

Status NotThisMxnet(const std::string& path, const std::string& why) {
  return Status(StatusCode::kUnimplemented, "'" + path + "' " + why + ": expected MXNet 1.9.1",
                "pip install mxnet==1.9.1");
}

Result<Library> Load(const std::string& path) {
  ::setenv("MXNET_SUBGRAPH_BACKEND", "NONE", /*replace=*/0);
  void* loaded = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // never closed: MXNet has threads
  if (loaded == nullptr) {
    return Status(StatusCode::kNotFound, "no MXNet: " + std::string(::dlerror()),
                  "set TRIMS_MXNET_LIBRARY to the path of libmxnet.so of MXNet 1.9.1");
  }
  Library found;
  const std::string missing = FindAll(loaded, &found);
  if (!missing.empty()) return NotThisMxnet(path, "has no " + missing);
  int version = 0;
  TRIMS_RETURN_IF_ERROR(found.Check("MXGetVersion", found.version(&version)));
  if (version != kVersion) return NotThisMxnet(path, "is of version " + std::to_string(version));
  TRIMS_RETURN_IF_ERROR(KeepSharedWeights(path));
  return found;
}

}  // namespace

Status Library::Check(const char* call, int result) const {
  if (result == 0) return Status();
  const std::string_view said = last_error();
  return Status(StatusCode::kInternal, "MXNet: " + std::string(call) + ": " +
                                           std::string(said.substr(0, said.find('\n'))));
}

Result<const Library*> LoadLibrary(const std::string& path) {
  static std::mutex mutex;
  static const Library* loaded = nullptr;
  const std::lock_guard lock(mutex);
  if (loaded == nullptr) {
    TRIMS_ASSIGN_OR_RETURN(const Library found, Load(PathOf(path)));
    loaded = new Library(found);
  }
  return loaded;
}

}  // namespace trims::mxnet
