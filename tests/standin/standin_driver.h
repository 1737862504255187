// A stand-in for the CUDA driver's library: the calls that TrIMS makes, over memfds, and stricter than a driver.
//
// What a driver might let pass is an error here: a wrong order, a size or place that is no multiple of the granularity, a
// part of an allocation mapped, anything freed twice, copies from memory that isn't pinned or registered, or to what may not be
// written. What is registered has to be there, every page of it, and to stay mapped as it was; it can't be let go, and no address
// unmapped, while a copy waits that reads or writes it. A copy moves its bytes when its stream or event is waited for, not before, so that a
// buffer that is filled again too early shows. Addresses of the "device" are this process's own: with read access only, a write faults.
//
// standin_device.cc has the devices and contexts, standin_memory.cc allocations, addresses and descriptors, standin_host.cc
// pinned and registered memory of the host's, standin_ipc.cc memory that is shared by handles, standin_copies.cc copies, streams
// and events.
//
// Environment: STANDIN_DEVICES (1), STANDIN_MEMORY, bytes of each (64 MiB), STANDIN_CANT_PIN=1: no device reads registered memory,
// STANDIN_CANT_IPC=1: none shares by handles,
// STANDIN_FAIL=call:nth:result fails the nth call of that name. standin_live() is how many things are held, standin_direct_bytes() how
// many bytes copies took from registered memory; standin_forget_calls() counts calls anew.
//
// Thread-safety: The().mutex, which BEGIN takes.
#ifndef TRIMS_TESTS_STANDIN_STANDIN_DRIVER_H_
#define TRIMS_TESTS_STANDIN_STANDIN_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cuda/cuda_api.h"

#define STANDIN extern "C" __attribute__((visibility("default")))

namespace standin {

using namespace trims::cuda;  // NOLINT: it is their interface

inline constexpr size_t kGranularity = size_t{2} << 20;

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

// Pages of this process's that a device may read.
struct Registered {
  size_t bytes = 0;
  bool read_only = false;
  std::string backing;  // what was mapped there when it was registered
};

// Memory that lies where the driver says: of this process, or opened by a handle of another's.
struct Linear {
  int fd = -1;
  size_t bytes = 0;
  int device = 0;
  int opened = 0;   // how often; 0: it is this process's own
  std::string key;  // what the handle holds, if it was opened
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
  std::map<DevicePointer, Linear> linear;
  std::map<void*, size_t> pinned;
  std::map<uintptr_t, Registered> registered;
  uint64_t direct_bytes = 0;
  std::set<StreamOf*> streams;
  std::set<EventOf*> events;
  std::map<int, int> contexts;  // how often each device's is retained
};

Driver& The();
inline thread_local std::vector<Context_> current;  // of this thread

uint64_t Setting(const char* name, uint64_t usual);
// What STANDIN_FAIL orders for this call of `call`.
Result_ Ordered(const std::string& call);

// What is mapped at these addresses, as the kernel tells it: the same until something else is. Empty: a part of it is unmapped, or can't
// be read, or (with `to_write`) written.
std::string BackingOf(uintptr_t start, size_t bytes, bool to_write);
// What a copy may read on the host: pinned by the driver, or registered and still mapped as it was.
bool IsReadable(const void* from, size_t bytes);
// Whether these are registered pages, or some of them.
const Registered* RegistrationOf(uintptr_t start, size_t bytes);
// Bytes that are allocated on a device.
uint64_t UsedOn(int device);
// How its memfds are called.
inline std::string NameOn(int device) { return "standin-" + std::to_string(device); }
// Whether a copy waits that reads or writes any of these.
bool IsInUse(uintptr_t start, size_t bytes);

int DeviceCount();
// Whether a device can read another's memory: unless STANDIN_NO_PEERS is 1.
inline bool PeersReach() { return Setting("STANDIN_NO_PEERS", 0) == 0; }
// Whether a device can read registered memory: unless STANDIN_CANT_PIN is 1.
inline bool CanPin() { return Setting("STANDIN_CANT_PIN", 0) == 0; }
inline bool CanShareByHandles() { return Setting("STANDIN_CANT_IPC", 0) == 0; }
inline Context_ ContextOf(int device) {
  return reinterpret_cast<Context_>(uintptr_t{0xC0DE} + device);
}
inline int DeviceOf(Context_ context) {
  return static_cast<int>(reinterpret_cast<uintptr_t>(context) - 0xC0DE);
}
inline bool IsDevice(int device) { return device >= 0 && device < DeviceCount(); }
inline bool IsMultiple(uint64_t value) { return value != 0 && value % kGranularity == 0; }

}  // namespace standin

// What every call checks first.
#define BEGIN(name)                                                 \
  const std::lock_guard<std::mutex> lock(standin::The().mutex);     \
  if (!standin::The().initialized) return standin::kNotInitialized; \
  if (const standin::Result_ ordered = standin::Ordered(name)) return ordered

#endif  // TRIMS_TESTS_STANDIN_STANDIN_DRIVER_H_
