// Device and DeviceMemory: what a device tier asks of a device, whatever kind of device that is.
//
// A device hands out memory that other processes can be given as a descriptor. Bytes come into it from
// memfds of the host's, which are attached first, so that a device whose driver must pin pages does so
// once, and in whatever process the driver lives; or from memory that a peer, another device of its kind, has
// exported, past the host's memory.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CopySource> from, device->Attach(memfd, length));
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<DeviceMemory> memory, device->Allocate("ocr", length));
//   TRIMS_RETURN_IF_ERROR(memory->CopyIn(*from, 0, length));
//   TRIMS_ASSIGN_OR_RETURN(UniqueFd shared, memory->Export());
//
// Kinds: sim_device.h, cuda_device.h. Copies block, so none of this is for the event loop.
// Thread-safety: a Device is safe; a DeviceMemory belongs to one thread at a time. Ownership: memory and
// attached bytes end before their device.
#ifndef TRIMS_DEVICE_DEVICE_H_
#define TRIMS_DEVICE_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "trims/model.h"
#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

struct DeviceInfo {
  std::string name;  // "sim:0": its kind, and its number among those of that kind
  std::string uuid;  // the same after a restart, and no other device's
  HandleKind memory = HandleKind::kSimulatedDevice;
  uint64_t capacity = 0;     // bytes
  uint64_t granularity = 0;  // bytes; what is allocated is rounded up to it
  bool peers_first = false;  // bytes come quicker from a peer than from the host
  std::string
      copies;  // of what is sealed on the host: "pinned", where it lies; "staged", through buffers; or empty

  // Whoever is given an allocation can't choose where it lies: the extents of a segment, which lie in one range, are one.
  bool in_one_piece() const { return memory == HandleKind::kCudaIpc; }
};

// Bytes [from, from + length) of a source that belong at [to, to + length) of a device's memory.
struct CopySpan {
  uint64_t from = 0;
  uint64_t to = 0;
  uint64_t length = 0;
};

// Memory from which a device may copy: a memfd of the host's, or a peer's. Its end waits for what a device still reads of it,
// so it may be ended after any copy.
class CopySource {
 public:
  virtual ~CopySource() = default;

  // Why its bytes pass through buffers though the device could read them where they lie: what its driver said. OK: they don't.
  virtual Status detour() const { return Status(); }
};

// Freed when it goes; what was exported stays with those who have it.
class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;

  virtual uint64_t length() const = 0;  // as it was asked for

  // They may still be on their way when it returns, `from` may end then, and an error of theirs is that of a later call.
  // INVALID_ARGUMENT: they are not in both; FAILED_PRECONDITION: it was exported already; UNAVAILABLE: the device is
  // lost; INTERNAL: the copy failed.
  virtual Status CopySpanIn(const CopySource& from, const CopySpan& span) = 0;
  // The bytes [offset, offset + length) of `from` to the same place here.
  Status CopyIn(const CopySource& from, uint64_t offset, uint64_t length) {
    return CopySpanIn(from, {.from = offset, .to = offset, .length = length});
  }

  // Waits for what is on its way, which has arrived then. A descriptor that can be given to other processes, which
  // can't write to what they map of it as far as the device can see to that. Once. Nothing can be copied in after it.
  virtual Result<UniqueFd> Export() = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual const DeviceInfo& info() const = 0;

  // `fd` is the caller's and may be closed after the call. Of its `length` bytes about `wanted` will be copied, which
  // decides what it is worth to get ready for them.
  virtual Result<std::unique_ptr<CopySource>> AttachFor(uint64_t wanted, int fd,
                                                        uint64_t length) = 0;
  Result<std::unique_ptr<CopySource>> Attach(int fd, uint64_t length) {
    return AttachFor(length, fd, length);
  }

  // What another device of this kind, with that UUID, has exported; the whole of it. UNIMPLEMENTED: nothing comes from there to
  // here but by the host's memory.
  virtual Result<std::unique_ptr<CopySource>> AttachPeer(int fd, uint64_t length,
                                                         std::string_view uuid) = 0;

  // RESOURCE_EXHAUSTED: the device has not so much left, and says what it has. INVALID_ARGUMENT: no bytes.
  // UNAVAILABLE: the device is lost.
  virtual Result<std::unique_ptr<DeviceMemory>> Allocate(std::string_view label,
                                                         uint64_t length) = 0;
};

}  // namespace trims

#endif  // TRIMS_DEVICE_DEVICE_H_
