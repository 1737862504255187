// The driver's state, devices and contexts.
#include <cstdlib>
#include <cstring>

#include "standin/standin_driver.h"

namespace standin {

Driver& The() {
  static Driver& driver = *new Driver;
  return driver;
}

uint64_t Setting(const char* name, uint64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

int DeviceCount() { return static_cast<int>(Setting("STANDIN_DEVICES", 1)); }

Result_ Ordered(const std::string& call) {
  const char* text = std::getenv("STANDIN_FAIL");
  if (text == nullptr) return kSuccess;
  const std::string plan = text;
  if (!plan.starts_with(call + ":")) return kSuccess;
  char* end = nullptr;
  const long nth = std::strtol(plan.c_str() + call.size() + 1, &end, 10);
  return ++The().calls[call] == nth ? static_cast<Result_>(std::strtol(end + 1, nullptr, 10))
                                    : kSuccess;
}

}  // namespace standin

using namespace standin;  // NOLINT: its calls are C's

STANDIN int standin_live() {
  const std::lock_guard<std::mutex> lock(The().mutex);
  const Driver& driver = The();
  size_t contexts = 0;
  for (const auto& [device, count] : driver.contexts) contexts += count;
  return static_cast<int>(driver.allocations.size() + driver.reserved.size() +
                          driver.mapped.size() + driver.linear.size() + driver.pinned.size() +
                          driver.registered.size() + driver.streams.size() + driver.events.size() +
                          contexts);
}

STANDIN uint64_t standin_direct_bytes() {
  const std::lock_guard<std::mutex> lock(The().mutex);
  return The().direct_bytes;
}

STANDIN void standin_forget_calls() {
  const std::lock_guard<std::mutex> lock(The().mutex);
  The().calls.clear();
}

STANDIN Result_ cuInit(unsigned flags) {
  const std::lock_guard<std::mutex> lock(The().mutex);
  if (flags != 0) return kInvalidValue;
  if (const Result_ ordered = Ordered("cuInit")) return ordered;
  if (DeviceCount() == 0) return kNoDevice;
  The().initialized = true;
  return kSuccess;
}

STANDIN Result_ cuGetErrorName(Result_ error, const char** name) {
  static const std::map<Result_, const char*>& names = *new std::map<Result_, const char*>{
      {kSuccess, "CUDA_SUCCESS"},
      {kInvalidValue, "CUDA_ERROR_INVALID_VALUE"},
      {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
      {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED"},
      {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT"},
      {kEccUncorrectable, "CUDA_ERROR_ECC_UNCORRECTABLE"},
      {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
      {kHostMemoryAlreadyRegistered, "CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED"},
      {kHostMemoryNotRegistered, "CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED"},
      {kNotSupported, "CUDA_ERROR_NOT_SUPPORTED"},
      {kNotPermitted, "CUDA_ERROR_NOT_PERMITTED"},
      {kUnknown, "CUDA_ERROR_UNKNOWN"}};
  const auto found = names.find(error);
  *name = found == names.end() ? nullptr : found->second;
  return found == names.end() ? kInvalidValue : kSuccess;
}

STANDIN Result_ cuDeviceGetCount(int* count) {
  BEGIN("cuDeviceGetCount");
  *count = DeviceCount();
  return kSuccess;
}

STANDIN Result_ cuDeviceGet(Device_* device, int ordinal) {
  BEGIN("cuDeviceGet");
  if (!IsDevice(ordinal)) return kInvalidDevice;
  *device = ordinal;
  return kSuccess;
}

STANDIN Result_ cuDeviceGetUuid_v2(Uuid* uuid, Device_ device) {
  BEGIN("cuDeviceGetUuid");
  if (!IsDevice(device)) return kInvalidDevice;
  std::memset(uuid->bytes, 0x5D, sizeof uuid->bytes);
  uuid->bytes[15] = static_cast<unsigned char>(device + Setting("STANDIN_FIRST", 0));
  return kSuccess;
}

STANDIN Result_ cuDeviceTotalMem_v2(size_t* bytes, Device_ device) {
  BEGIN("cuDeviceTotalMem");
  if (!IsDevice(device)) return kInvalidDevice;
  *bytes = Setting("STANDIN_MEMORY", size_t{64} << 20);
  return kSuccess;
}

STANDIN Result_ cuDeviceGetAttribute(int* value, int attribute, Device_ device) {
  BEGIN("cuDeviceGetAttribute");
  if (!IsDevice(device)) return kInvalidDevice;
  switch (attribute) {
    case kAttributeVirtualMemoryManagement:
    case kAttributePosixFileDescriptors:
      *value = Setting("STANDIN_CANT_SHARE", 0) == 0;
      return kSuccess;
    case kAttributeReadOnlyHostRegister:
      *value = CanPin();
      return kSuccess;
    default:
      return kInvalidValue;
  }
}

STANDIN Result_ cuDeviceCanAccessPeer(int* can, Device_ device, Device_ peer) {
  BEGIN("cuDeviceCanAccessPeer");
  if (!IsDevice(device) || !IsDevice(peer) || device == peer) return kInvalidDevice;
  *can = PeersReach();
  return kSuccess;
}

STANDIN Result_ cuDevicePrimaryCtxRetain(Context_* context, Device_ device) {
  BEGIN("cuDevicePrimaryCtxRetain");
  if (!IsDevice(device)) return kInvalidDevice;
  ++The().contexts[device];
  *context = ContextOf(device);
  return kSuccess;
}

STANDIN Result_ cuDevicePrimaryCtxRelease_v2(Device_ device) {
  BEGIN("cuDevicePrimaryCtxRelease");
  if (!IsDevice(device) || The().contexts[device] == 0) return kInvalidContext;
  --The().contexts[device];
  return kSuccess;
}

STANDIN Result_ cuCtxPushCurrent_v2(Context_ context) {
  BEGIN("cuCtxPushCurrent");
  const int device = DeviceOf(context);
  if (!IsDevice(device) || The().contexts[device] == 0) return kInvalidContext;
  current.push_back(context);
  return kSuccess;
}

STANDIN Result_ cuCtxPopCurrent_v2(Context_* context) {
  BEGIN("cuCtxPopCurrent");
  if (current.empty()) return kInvalidContext;
  *context = current.back();
  current.pop_back();
  return kSuccess;
}
