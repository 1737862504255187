// Allocations, addresses and descriptors.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "standin/standin_driver.h"

using namespace standin;  // NOLINT: its calls are C's

namespace {

// Where a descriptor's memory lies: its name says so.
int DeviceOf(int fd) {
  char name[64] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  if (::readlink(link.c_str(), name, sizeof name - 1) < 0) return 0;
  for (int device = 0; device < DeviceCount(); ++device) {
    if (std::string(name).find(NameOn(device) + " ") != std::string::npos) return device;
  }
  return 0;
}

void Drop(AllocationHandle handle) {
  const auto found = The().allocations.find(handle);
  if (!found->second.released || found->second.maps > 0) return;
  ::close(found->second.fd);
  The().allocations.erase(found);
}

bool IsShareable(const AllocationProperties& properties) {
  return properties.type == kAllocationTypePinned &&
         properties.requested_handle_types == kHandleTypePosixFd &&
         properties.location.type == kLocationTypeDevice && IsDevice(properties.location.id) &&
         properties.win32_handle_metadata == nullptr && properties.usage == 0;
}

}  // namespace

uint64_t standin::UsedOn(int device) {
  uint64_t bytes = 0;
  for (const auto& [handle, one] : The().allocations) {
    if (one.device == device && !one.imported) bytes += one.bytes;
  }
  for (const auto& [pointer, one] : The().linear) {
    if (one.device == device && one.opened == 0) bytes += one.bytes;
  }
  return bytes;
}

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
  const int fd = ::memfd_create(NameOn(device).c_str(), MFD_CLOEXEC);
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
  The().allocations[*handle] = {.fd = fd,
                                .bytes = static_cast<size_t>(info.st_size),
                                .device = DeviceOf(fd),
                                .imported = true};
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
  if (IsInUse(pointer, bytes)) return kInvalidValue;
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
  const int lies_on = The().allocations[found->second.handle].device;
  if (access->location.id != lies_on && !PeersReach()) return kInvalidDevice;
  if (access->flags != kAccessRead && access->flags != kAccessReadWrite) return kInvalidValue;
  const int protection = access->flags == kAccessRead ? PROT_READ : PROT_READ | PROT_WRITE;
  if (::mprotect(reinterpret_cast<void*>(pointer), bytes, protection) != 0) return kUnknown;
  found->second.access = access->flags;
  return kSuccess;
}
