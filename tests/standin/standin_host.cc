// Memory of the host's: pinned by the driver, and registered.
#include <sys/mman.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <new>
#include <vector>

#include "standin/standin_driver.h"

using namespace standin;  // NOLINT: its calls are C's

namespace {

constexpr size_t kPage = 4096;

struct Region {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  char access[5] = {};
  uint64_t offset = 0;
  char device[16] = {};
  uint64_t inode = 0;
};

// A line of /proc/self/maps.
bool Parse(const std::string& line, Region* region) {
  return std::sscanf(line.c_str(), "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %15s %" SCNu64,
                     &region->begin, &region->end, region->access, &region->offset, region->device,
                     &region->inode) == 6;
}

bool Overlap(uintptr_t a, size_t a_bytes, uintptr_t b, size_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

// Whether memory is there behind each page: registering would allocate it otherwise.
bool AllThere(uintptr_t start, size_t bytes) {
  std::vector<unsigned char> there(bytes / kPage);
  if (::mincore(reinterpret_cast<void*>(start), bytes, there.data()) != 0) return false;
  return std::ranges::all_of(there, [](unsigned char page) { return (page & 1) != 0; });
}

bool IsPinned(uintptr_t start, size_t bytes) {
  auto next = The().pinned.upper_bound(reinterpret_cast<void*>(start));
  if (next == The().pinned.begin()) return false;
  const auto& [buffer, size] = *--next;
  const size_t offset = start - reinterpret_cast<uintptr_t>(buffer);
  return offset <= size && bytes <= size - offset;
}

bool IsAsItWas(uintptr_t start, const Registered& one) {
  return BackingOf(start, one.bytes, !one.read_only) == one.backing;
}

}  // namespace

namespace standin {

std::string BackingOf(uintptr_t start, size_t bytes, bool to_write) {
  std::ifstream maps("/proc/self/maps");
  std::string backing;
  uintptr_t reached = start;
  for (std::string line; reached < start + bytes && std::getline(maps, line);) {
    Region region;
    if (!Parse(line, &region) || region.end <= reached) continue;
    if (region.begin > reached || region.access[0] != 'r') return "";
    if (to_write && region.access[1] != 'w') return "";
    // However the kernel divides it, a file's page has its place.
    const std::string part = std::string(region.device) + ":" + std::to_string(region.inode) + "@" +
                             std::to_string(region.inode == 0 ? 0 : region.begin - region.offset);
    if (!backing.ends_with(part)) backing += " " + part;
    reached = region.end;
  }
  return reached >= start + bytes ? backing : "";
}

bool IsReadable(const void* from, size_t bytes) {
  const auto start = reinterpret_cast<uintptr_t>(from);
  if (IsPinned(start, bytes)) return true;
  auto next = The().registered.upper_bound(start);
  if (next == The().registered.begin()) return false;
  const auto& [begin, one] = *--next;
  const size_t offset = start - begin;
  return offset <= one.bytes && bytes <= one.bytes - offset && IsAsItWas(begin, one);
}

const Registered* RegistrationOf(uintptr_t start, size_t bytes) {
  for (const auto& [begin, one] : The().registered) {
    if (Overlap(begin, one.bytes, start, bytes)) return &one;
  }
  return nullptr;
}

bool IsInUse(uintptr_t start, size_t bytes) {
  return std::ranges::any_of(The().streams, [&](const StreamOf* stream) {
    return std::ranges::any_of(stream->waiting, [&](const Copy& copy) {
      return Overlap(copy.to, copy.bytes, start, bytes) ||
             Overlap(reinterpret_cast<uintptr_t>(copy.from), copy.bytes, start, bytes);
    });
  });
}

}  // namespace standin

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
  if (IsInUse(reinterpret_cast<uintptr_t>(pointer), found->second)) return kInvalidValue;
  ::operator delete(pointer);
  The().pinned.erase(found);
  return kSuccess;
}

STANDIN Result_ cuMemHostRegister_v2(void* pointer, size_t bytes, unsigned flags) {
  BEGIN("cuMemHostRegister");
  const auto start = reinterpret_cast<uintptr_t>(pointer);
  if (current.empty()) return kInvalidContext;
  if (bytes == 0 || start % kPage != 0 || bytes % kPage != 0) return kInvalidValue;
  const bool read_only = flags == kHostRegisterReadOnly;
  if (!read_only && flags != 0) return kInvalidValue;
  if (read_only && !CanPin()) return kNotSupported;
  if (RegistrationOf(start, bytes) != nullptr) return kHostMemoryAlreadyRegistered;
  const std::string backing = BackingOf(start, bytes, !read_only);
  if (backing.empty() || !AllThere(start, bytes)) return kInvalidValue;
  The().registered[start] = {.bytes = bytes, .read_only = read_only, .backing = backing};
  return kSuccess;
}

STANDIN Result_ cuMemHostUnregister(void* pointer) {
  const std::lock_guard<std::mutex> lock(The().mutex);
  if (!The().initialized) return kNotInitialized;
  if (current.empty()) return kInvalidContext;
  const auto found = The().registered.find(reinterpret_cast<uintptr_t>(pointer));
  if (found == The().registered.end()) return kHostMemoryNotRegistered;
  const auto& [start, one] = *found;
  if (IsInUse(start, one.bytes) || !IsAsItWas(start, one)) return kInvalidValue;
  The().registered.erase(found);  // also where it is to fail: as where the device is lost
  return Ordered("cuMemHostUnregister");
}
