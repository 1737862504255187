// A stand-in for the CUDA driver's library: the calls that TrIMS makes, over memfds, and stricter than a driver.
//
// What a driver might let pass is an error here: a wrong order, a size or place that is no multiple of the granularity, a
// part of an allocation mapped, anything freed twice, copies from memory that isn't pinned or to what may not be
// written. A copy moves its bytes when its stream or event is waited for, not before, so that a buffer that is filled
// again too early shows. Addresses of the "device" are this process's own: with read access only, a write faults.
//
// Environment: STANDIN_DEVICES (1), STANDIN_MEMORY, bytes of each (64 MiB), STANDIN_FAIL=call:nth:result fails the nth call of that
// name. standin_live() is how many things are held; standin_forget_calls() counts anew.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cuda/cuda_api.h"

#define STANDIN extern "C" __attribute__((visibility("default")))

using namespace trims::cuda;  // NOLINT: it is their interface

namespace {

constexpr size_t kGranularity = size_t{2} << 20;

uint64_t Setting(const char* name, uint64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

struct Allocated {
  int fd = -1;
  size_t bytes = 0;
  int device = 0;
  bool imported = false;
  bool released = false;
  int maps = 0;
};

struct MappedAt {
  size_t bytes = 0;
  AllocationHandle handle = 0;
  unsigned access = 0;
};

struct Copy {
  DevicePointer to = 0;
  const void* from = nullptr;
  size_t bytes = 0;
};

struct StreamOf {
  std::vector<Copy> waiting;
};

struct EventOf {
  StreamOf* stream = nullptr;
  size_t covers = 0;  // copies of the stream before it
};

struct Driver {
  std::mutex mutex;
  bool initialized = false;
  std::map<std::string, int> calls;
  uint64_t last = 0x1000;
  std::map<AllocationHandle, Allocated> allocations;
  std::map<DevicePointer, size_t> reserved;
  std::map<DevicePointer, MappedAt> mapped;
  std::map<void*, size_t> pinned;
  std::set<StreamOf*> streams;
  std::set<EventOf*> events;
  std::map<int, int> contexts;  // how often each device's is retained
};

Driver& The() {
  static Driver& driver = *new Driver;
  return driver;
}

thread_local std::vector<Context_> current;

Context_ ContextOf(int device) { return reinterpret_cast<Context_>(uintptr_t{0xC0DE} + device); }
int DeviceCount() { return static_cast<int>(Setting("STANDIN_DEVICES", 1)); }
bool IsDevice(int device) { return device >= 0 && device < DeviceCount(); }
bool IsMultiple(uint64_t value) { return value != 0 && value % kGranularity == 0; }

// "call:nth:result"
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

uint64_t UsedOn(int device) {
  uint64_t bytes = 0;
  for (const auto& [handle, one] : The().allocations) {
    if (one.device == device && !one.imported) bytes += one.bytes;
  }
  return bytes;
}

void Drop(AllocationHandle handle) {
  const auto found = The().allocations.find(handle);
  if (!found->second.released || found->second.maps > 0) return;
  ::close(found->second.fd);
  The().allocations.erase(found);
}

// The mapping that holds all of these bytes.
const MappedAt* MappingOf(DevicePointer at, size_t bytes) {
  auto next = The().mapped.upper_bound(at);
  if (next == The().mapped.begin()) return nullptr;
  const auto& [start, one] = *--next;
  return at - start <= one.bytes && bytes <= one.bytes - (at - start) ? &one : nullptr;
}

void Run(StreamOf* stream, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const Copy& copy = stream->waiting[i];
    std::memcpy(reinterpret_cast<void*>(copy.to), copy.from, copy.bytes);
  }
  stream->waiting.erase(stream->waiting.begin(),
                        stream->waiting.begin() + static_cast<ptrdiff_t>(count));
  for (EventOf* event : The().events) {
    if (event->stream == stream) event->covers -= std::min(event->covers, count);
  }
}

}  // namespace

// What every call checks first.
#define BEGIN(name)                                    \
  const std::lock_guard<std::mutex> lock(The().mutex); \
  if (!The().initialized) return kNotInitialized;      \
  if (const Result_ ordered = Ordered(name)) return ordered

STANDIN int standin_live() {
  const std::lock_guard<std::mutex> lock(The().mutex);
  const Driver& driver = The();
  size_t contexts = 0;
  for (const auto& [device, count] : driver.contexts) contexts += count;
  return static_cast<int>(driver.allocations.size() + driver.reserved.size() +
                          driver.mapped.size() + driver.pinned.size() + driver.streams.size() +
                          driver.events.size() + contexts);
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

STANDIN Result_ cuDriverGetVersion(int* version) {
  *version = 13000;
  return kSuccess;
}

STANDIN Result_ cuGetErrorName(Result_ error, const char** name) {
  static const std::map<Result_, const char*>& names =
      *new std::map<Result_, const char*>{{kSuccess, "CUDA_SUCCESS"},
                                          {kInvalidValue, "CUDA_ERROR_INVALID_VALUE"},
                                          {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
                                          {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED"},
                                          {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT"},
                                          {kEccUncorrectable, "CUDA_ERROR_ECC_UNCORRECTABLE"},
                                          {kInvalidHandle, "CUDA_ERROR_INVALID_HANDLE"},
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

STANDIN Result_ cuDeviceGetName(char* name, int length, Device_ device) {
  BEGIN("cuDeviceGetName");
  if (!IsDevice(device) || length < 8) return kInvalidDevice;
  std::strcpy(name, "standin");
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
  if (attribute != kAttributeVirtualMemoryManagement && attribute != kAttributePosixFileDescriptors)
    return kInvalidValue;
  *value = Setting("STANDIN_CANT_SHARE", 0) == 0;
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
  const int device = static_cast<int>(reinterpret_cast<uintptr_t>(context) - 0xC0DE);
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

namespace {

bool IsShareable(const AllocationProperties& properties) {
  return properties.type == kAllocationTypePinned &&
         properties.requested_handle_types == kHandleTypePosixFd &&
         properties.location.type == kLocationTypeDevice && IsDevice(properties.location.id) &&
         properties.win32_handle_metadata == nullptr && properties.usage == 0;
}

}  // namespace

STANDIN Result_ cuMemGetAllocationGranularity(size_t* granularity,
                                              const AllocationProperties* properties,
                                              unsigned option) {
  BEGIN("cuMemGetAllocationGranularity");
  if (!IsShareable(*properties) || option > kGranularityRecommended) return kInvalidValue;
  *granularity = kGranularity;
  return kSuccess;
}

STANDIN Result_ cuMemCreate(AllocationHandle* handle, size_t bytes,
                            const AllocationProperties* properties, unsigned long long flags) {
  BEGIN("cuMemCreate");
  if (flags != 0 || !IsMultiple(bytes) || !IsShareable(*properties)) return kInvalidValue;
  const int device = properties->location.id;
  if (bytes > Setting("STANDIN_MEMORY", size_t{64} << 20) - UsedOn(device)) return kOutOfMemory;
  const int fd = ::memfd_create("standin", MFD_CLOEXEC);
  if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) return kUnknown;
  *handle = ++The().last;
  The().allocations[*handle] = {.fd = fd, .bytes = bytes, .device = device};
  return kSuccess;
}

STANDIN Result_ cuMemRelease(AllocationHandle handle) {
  BEGIN("cuMemRelease");
  const auto found = The().allocations.find(handle);
  if (found == The().allocations.end() || found->second.released) return kInvalidValue;
  found->second.released = true;
  Drop(handle);
  return kSuccess;
}

STANDIN Result_ cuMemExportToShareableHandle(void* shareable, AllocationHandle handle,
                                             unsigned type, unsigned long long flags) {
  BEGIN("cuMemExportToShareableHandle");
  const auto found = The().allocations.find(handle);
  if (found == The().allocations.end() || found->second.released) return kInvalidValue;
  if (type != kHandleTypePosixFd || flags != 0 || found->second.imported) return kInvalidValue;
  const int fd = ::fcntl(found->second.fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return kUnknown;
  *static_cast<int*>(shareable) = fd;
  return kSuccess;
}

STANDIN Result_ cuMemImportFromShareableHandle(AllocationHandle* handle, void* shareable,
                                               unsigned type) {
  BEGIN("cuMemImportFromShareableHandle");
  struct stat info {};
  const int given = static_cast<int>(reinterpret_cast<intptr_t>(shareable));
  if (type != kHandleTypePosixFd || ::fstat(given, &info) != 0) return kInvalidHandle;
  if (!IsMultiple(static_cast<uint64_t>(info.st_size))) return kInvalidHandle;
  const int fd = ::fcntl(given, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return kUnknown;
  *handle = ++The().last;
  The().allocations[*handle] = {
      .fd = fd, .bytes = static_cast<size_t>(info.st_size), .imported = true};
  return kSuccess;
}

STANDIN Result_ cuMemAddressReserve(DevicePointer* pointer, size_t bytes, size_t alignment,
                                    DevicePointer wanted, unsigned long long flags) {
  BEGIN("cuMemAddressReserve");
  if (!IsMultiple(bytes) || alignment % kGranularity != 0 || wanted != 0 || flags != 0)
    return kInvalidValue;
  void* const all = ::mmap(nullptr, bytes + kGranularity, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (all == MAP_FAILED) return kOutOfMemory;
  const auto start = reinterpret_cast<uintptr_t>(all);
  const uintptr_t aligned = (start + kGranularity - 1) / kGranularity * kGranularity;
  if (aligned > start) ::munmap(all, aligned - start);
  if (const size_t behind = start + kGranularity - aligned; behind > 0)
    ::munmap(reinterpret_cast<void*>(aligned + bytes), behind);
  *pointer = aligned;
  The().reserved[aligned] = bytes;
  return kSuccess;
}

STANDIN Result_ cuMemAddressFree(DevicePointer pointer, size_t bytes) {
  BEGIN("cuMemAddressFree");
  const auto found = The().reserved.find(pointer);
  if (found == The().reserved.end() || found->second != bytes) return kInvalidValue;
  const auto inside = The().mapped.lower_bound(pointer);
  if (inside != The().mapped.end() && inside->first < pointer + bytes) return kInvalidValue;
  ::munmap(reinterpret_cast<void*>(pointer), bytes);
  The().reserved.erase(found);
  return kSuccess;
}

STANDIN Result_ cuMemMap(DevicePointer pointer, size_t bytes, size_t offset,
                         AllocationHandle handle, unsigned long long flags) {
  BEGIN("cuMemMap");
  const auto found = The().allocations.find(handle);
  if (found == The().allocations.end() || found->second.released) return kInvalidValue;
  if (offset != 0 || flags != 0 || bytes != found->second.bytes || pointer % kGranularity != 0)
    return kInvalidValue;
  auto range = The().reserved.upper_bound(pointer);
  if (range == The().reserved.begin()) return kInvalidValue;
  --range;
  if (pointer - range->first > range->second || bytes > range->second - (pointer - range->first))
    return kInvalidValue;
  for (const auto& [start, one] : The().mapped) {
    if (start < pointer + bytes && pointer < start + one.bytes) return kInvalidValue;
  }
  void* const at = reinterpret_cast<void*>(pointer);
  if (::mmap(at, bytes, PROT_NONE, MAP_SHARED | MAP_FIXED, found->second.fd, 0) == MAP_FAILED)
    return kUnknown;
  ++found->second.maps;
  The().mapped[pointer] = {.bytes = bytes, .handle = handle};
  return kSuccess;
}

STANDIN Result_ cuMemUnmap(DevicePointer pointer, size_t bytes) {
  BEGIN("cuMemUnmap");
  const auto found = The().mapped.find(pointer);
  if (found == The().mapped.end() || found->second.bytes != bytes) return kInvalidValue;
  ::mmap(reinterpret_cast<void*>(pointer), bytes, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  const AllocationHandle handle = found->second.handle;
  The().mapped.erase(found);
  --The().allocations[handle].maps;
  Drop(handle);
  return kSuccess;
}

STANDIN Result_ cuMemSetAccess(DevicePointer pointer, size_t bytes, const AccessDescription* access,
                               size_t count) {
  BEGIN("cuMemSetAccess");
  const auto found = The().mapped.find(pointer);
  if (found == The().mapped.end() || found->second.bytes != bytes || count != 1)
    return kInvalidValue;
  if (!IsDevice(access->location.id) || access->location.type != kLocationTypeDevice)
    return kInvalidDevice;
  if (access->flags != kAccessRead && access->flags != kAccessReadWrite) return kInvalidValue;
  const int protection = access->flags == kAccessRead ? PROT_READ : PROT_READ | PROT_WRITE;
  if (::mprotect(reinterpret_cast<void*>(pointer), bytes, protection) != 0) return kUnknown;
  found->second.access = access->flags;
  return kSuccess;
}

STANDIN Result_ cuMemHostAlloc(void** pointer, size_t bytes, unsigned flags) {
  BEGIN("cuMemHostAlloc");
  if (current.empty()) return kInvalidContext;
  if (bytes == 0 || flags != 0) return kInvalidValue;
  *pointer = ::operator new(bytes);
  The().pinned[*pointer] = bytes;
  return kSuccess;
}

STANDIN Result_ cuMemFreeHost(void* pointer) {
  BEGIN("cuMemFreeHost");
  const auto found = The().pinned.find(pointer);
  if (found == The().pinned.end()) return kInvalidValue;
  ::operator delete(pointer);
  The().pinned.erase(found);
  return kSuccess;
}

STANDIN Result_ cuMemcpyHtoDAsync_v2(DevicePointer to, const void* from, size_t bytes,
                                     Stream_ stream) {
  BEGIN("cuMemcpyHtoDAsync");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (current.empty()) return kInvalidContext;
  if (!The().streams.contains(queue)) return kInvalidHandle;
  const MappedAt* mapping = MappingOf(to, bytes);
  if (mapping == nullptr || mapping->access != kAccessReadWrite) return kInvalidValue;
  auto buffer = The().pinned.upper_bound(const_cast<void*>(from));
  if (buffer == The().pinned.begin()) return kInvalidValue;
  --buffer;
  const auto offset =
      static_cast<size_t>(static_cast<const char*>(from) - static_cast<const char*>(buffer->first));
  if (offset > buffer->second || bytes > buffer->second - offset) return kInvalidValue;
  queue->waiting.push_back({.to = to, .from = from, .bytes = bytes});
  return kSuccess;
}

STANDIN Result_ cuMemcpyDtoH_v2(void* to, DevicePointer from, size_t bytes) {
  BEGIN("cuMemcpyDtoH");
  if (current.empty()) return kInvalidContext;
  const MappedAt* mapping = MappingOf(from, bytes);
  if (mapping == nullptr || mapping->access == 0) return kInvalidValue;
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return kSuccess;
}

STANDIN Result_ cuStreamCreate(Stream_* stream, unsigned flags) {
  BEGIN("cuStreamCreate");
  if (current.empty()) return kInvalidContext;
  if (flags > kStreamNonBlocking) return kInvalidValue;
  auto* const made = new StreamOf;
  The().streams.insert(made);
  *stream = reinterpret_cast<Stream_>(made);
  return kSuccess;
}

STANDIN Result_ cuStreamDestroy_v2(Stream_ stream) {
  BEGIN("cuStreamDestroy");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (The().streams.erase(queue) == 0) return kInvalidHandle;
  delete queue;
  return kSuccess;
}

STANDIN Result_ cuStreamSynchronize(Stream_ stream) {
  BEGIN("cuStreamSynchronize");
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (!The().streams.contains(queue)) return kInvalidHandle;
  Run(queue, queue->waiting.size());
  return kSuccess;
}

STANDIN Result_ cuEventCreate(Event_* event, unsigned flags) {
  BEGIN("cuEventCreate");
  if (current.empty()) return kInvalidContext;
  if (flags != 0 && flags != kEventDisableTiming) return kInvalidValue;
  auto* const made = new EventOf;
  The().events.insert(made);
  *event = reinterpret_cast<Event_>(made);
  return kSuccess;
}

STANDIN Result_ cuEventDestroy_v2(Event_ event) {
  BEGIN("cuEventDestroy");
  auto* const one = reinterpret_cast<EventOf*>(event);
  if (The().events.erase(one) == 0) return kInvalidHandle;
  delete one;
  return kSuccess;
}

STANDIN Result_ cuEventRecord(Event_ event, Stream_ stream) {
  BEGIN("cuEventRecord");
  auto* const one = reinterpret_cast<EventOf*>(event);
  auto* const queue = reinterpret_cast<StreamOf*>(stream);
  if (!The().events.contains(one) || !The().streams.contains(queue)) return kInvalidHandle;
  one->stream = queue;
  one->covers = queue->waiting.size();
  return kSuccess;
}

STANDIN Result_ cuEventSynchronize(Event_ event) {
  BEGIN("cuEventSynchronize");
  auto* const one = reinterpret_cast<EventOf*>(event);
  if (!The().events.contains(one)) return kInvalidHandle;
  if (one->stream != nullptr && one->covers > 0) Run(one->stream, one->covers);
  return kSuccess;
}
