#include "cuda/cuda_driver.h"

#include <dlfcn.h>

#include <cstdio>
#include <map>
#include <memory>
#include <utility>

#include "base/macros.h"
#include "base/mutex.h"

namespace trims::cuda {
namespace {

constexpr char kUsualLibrary[] = "libcuda.so.1";

Status NoDriver(const std::string& why) {
  return Status(StatusCode::kNotFound, "there is no CUDA driver here: " + why,
                "in a container, mount the driver (libcuda.so.1 and /dev/nvidia*), as the NVIDIA "
                "container toolkit does");
}

Status FindFunction(void* library, const char* symbol, void** function) {
  *function = ::dlsym(library, symbol);
  if (*function != nullptr) return Status();
  return Status(StatusCode::kUnimplemented,
                std::string("the CUDA driver has no ") + symbol +
                    ": it is older than shared device memory needs",
                "a driver of CUDA 11.4 or later");
}

Status FindFunctions(void* library, Api* api) {
#define TRIMS_CUDA_FIND(member, symbol, parameters) \
  TRIMS_RETURN_IF_ERROR(FindFunction(library, symbol, reinterpret_cast<void**>(&api->member)));
  TRIMS_CUDA_FUNCTIONS(TRIMS_CUDA_FIND)
#undef TRIMS_CUDA_FIND
  return Status();
}

std::string NameOf(const Api& api, Result_ result) {
  const char* name = nullptr;
  if (api.GetErrorName(result, &name) != kSuccess || name == nullptr) {
    return "error " + std::to_string(result);
  }
  return name;
}

Result<std::unique_ptr<Api>> Load(const std::string& name) {
  void* const library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return NoDriver(why == nullptr ? name : why);
  }
  auto api = std::make_unique<Api>();
  TRIMS_RETURN_IF_ERROR(FindFunctions(library, api.get()));
  const Result_ result = api->Init(0);
  if (result == kNoDevice) return NoDriver("it has no device");
  if (result != kSuccess) {
    return Status(StatusCode::kFailedPrecondition,
                  "the CUDA driver doesn't start: " + NameOf(*api, result),
                  "nvidia-smi says what is wrong with driver or device");
  }
  return api;
}

}  // namespace

Result<const Api*> LoadDriver(const std::string& library) {
  static Mutex& mutex = *new Mutex;  // never destroyed: threads may outlive main
  static auto& loaded = *new std::map<std::string, std::unique_ptr<Api>>;
  const std::string name = library.empty() ? kUsualLibrary : library;
  MutexLock lock(mutex);
  if (const auto found = loaded.find(name); found != loaded.end()) return found->second.get();
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Api> api, Load(name));
  return loaded.emplace(name, std::move(api)).first->second.get();
}

Status Check(const Api& api, Result_ result, std::string_view call) {
  const auto say = [&](StatusCode code, const char* hint) {
    return Status(code, std::string(call) + ": " + NameOf(api, result), hint);
  };
  switch (result) {
    case kSuccess:
      return Status();
    case kOutOfMemory:
      return say(StatusCode::kResourceExhausted,
                 "lower --device-budget below what other programs leave of the device");
    case kDeinitialized:
    case kDeviceUnavailable:
    case kNoDevice:
    case kInvalidContext:
    case kEccUncorrectable:
    case kIllegalAddress:
    case kHardwareStackError:
    case kLaunchFailed:
      return say(StatusCode::kUnavailable, "nvidia-smi says what the device has");
    default:
      return say(StatusCode::kInternal, "");
  }
}

std::string TextOf(const Uuid& uuid) {
  std::string text;
  for (int i = 0; i < 16; ++i) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", uuid.bytes[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits;
  }
  return text;
}

}  // namespace trims::cuda
