// Memory that lies where the driver says, and is shared by handles of 64 bytes (legacy CUDA IPC).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "standin/standin_driver.h"

using namespace standin;  // NOLINT: its calls are C's

namespace {

constexpr char kMagic[16] = "standin handle";

// What a handle holds. Another process finds the memory while the one that allocated it lives and has it.
struct Shared {
  char magic[16];
  int64_t process;
  int64_t fd;
  uint64_t bytes;
  int64_t device;
};
static_assert(sizeof(Shared) <= sizeof(IpcMemHandle));

DevicePointer Place(int fd, size_t bytes) {
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return at == MAP_FAILED ? 0 : reinterpret_cast<DevicePointer>(at);
}

bool Finds(const Shared& shared) {
  return std::memcmp(shared.magic, kMagic, sizeof kMagic) == 0 && IsMultiple(shared.bytes) &&
         IsDevice(static_cast<int>(shared.device));
}

// A memfd of that size and name; -1: there is none, or none any more.
int OpenShared(const Shared& shared) {
  const std::string path =
      "/proc/" + std::to_string(shared.process) + "/fd/" + std::to_string(shared.fd);
  char name[64] = {};
  if (::readlink(path.c_str(), name, sizeof name - 1) < 0) return -1;
  const std::string expected = NameOn(static_cast<int>(shared.device)) + " ";
  if (std::string(name).find(expected) == std::string::npos) return -1;
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  struct stat info {};
  if (fd >= 0 && ::fstat(fd, &info) == 0 && static_cast<uint64_t>(info.st_size) == shared.bytes)
    return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

void Drop(std::map<DevicePointer, Linear>::iterator one) {
  ::munmap(reinterpret_cast<void*>(one->first), one->second.bytes);
  ::close(one->second.fd);
  The().linear.erase(one);
}

}  // namespace

// Only whole blocks: of a smaller allocation the driver shares what lies beside it, too.
STANDIN Result_ cuMemAlloc_v2(DevicePointer* pointer, size_t bytes) {
  BEGIN("cuMemAlloc");
  if (current.empty()) return kInvalidContext;
  if (!IsMultiple(bytes)) return kInvalidValue;
  const int device = DeviceOf(current.back());
  if (bytes > Setting("STANDIN_MEMORY", size_t{64} << 20) - UsedOn(device)) return kOutOfMemory;
  const int fd = ::memfd_create(NameOn(device).c_str(), MFD_CLOEXEC);
  if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) return kUnknown;
  *pointer = Place(fd, bytes);
  if (*pointer == 0) return kOutOfMemory;
  The().linear[*pointer] = {.fd = fd, .bytes = bytes, .device = device};
  return kSuccess;
}

STANDIN Result_ cuMemFree_v2(DevicePointer pointer) {
  BEGIN("cuMemFree");
  if (current.empty()) return kInvalidContext;
  const auto found = The().linear.find(pointer);
  if (found == The().linear.end() || found->second.opened != 0) return kInvalidValue;
  if (IsInUse(pointer, found->second.bytes)) return kInvalidValue;
  Drop(found);
  return kSuccess;
}

STANDIN Result_ cuIpcGetMemHandle(IpcMemHandle* handle, DevicePointer pointer) {
  BEGIN("cuIpcGetMemHandle");
  if (!CanShareByHandles()) return kNotSupported;
  const auto found = The().linear.find(pointer);
  if (found == The().linear.end() || found->second.opened != 0) return kInvalidValue;
  const Linear& one = found->second;
  if (IsInUse(pointer, one.bytes)) return kInvalidValue;
  Shared shared{.process = ::getpid(), .fd = one.fd, .bytes = one.bytes, .device = one.device};
  std::memcpy(shared.magic, kMagic, sizeof kMagic);
  *handle = {};
  std::memcpy(handle->reserved, &shared, sizeof shared);
  return kSuccess;
}

// Not in the process that allocated it. Once more it is at the same place.
STANDIN Result_ cuIpcOpenMemHandle_v2(DevicePointer* pointer, IpcMemHandle handle, unsigned flags) {
  BEGIN("cuIpcOpenMemHandle");
  if (current.empty()) return kInvalidContext;
  Shared shared{};
  std::memcpy(&shared, handle.reserved, sizeof shared);
  if (flags != kIpcLazyPeerAccess) return kInvalidValue;
  if (!Finds(shared)) return kInvalidHandle;
  if (shared.process == ::getpid()) return kInvalidContext;
  const std::string key(handle.reserved, sizeof handle.reserved);
  const auto open =
      std::ranges::find_if(The().linear, [&key](const auto& one) { return one.second.key == key; });
  if (open != The().linear.end()) {
    ++open->second.opened;
    *pointer = open->first;
    return kSuccess;
  }
  const int fd = OpenShared(shared);
  if (fd < 0) return kInvalidHandle;
  *pointer = Place(fd, shared.bytes);
  if (*pointer == 0) return kOutOfMemory;
  The().linear[*pointer] = {.fd = fd,
                            .bytes = shared.bytes,
                            .device = static_cast<int>(shared.device),
                            .opened = 1,
                            .key = key};
  return kSuccess;
}

STANDIN Result_ cuIpcCloseMemHandle(DevicePointer pointer) {
  BEGIN("cuIpcCloseMemHandle");
  if (current.empty()) return kInvalidContext;
  const auto found = The().linear.find(pointer);
  if (found == The().linear.end() || found->second.opened == 0) return kInvalidValue;
  if (IsInUse(pointer, found->second.bytes)) return kInvalidValue;
  if (--found->second.opened == 0) Drop(found);
  return kSuccess;
}
