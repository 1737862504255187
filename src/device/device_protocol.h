// What daemon and trims-device say to each other: one struct each way in a SOCK_SEQPACKET frame, with at most
// one descriptor.
//
// Both are of one release and on one machine, so the structs are as they lie in memory; a version guards
// against a mixed installation. Thread-safety: values.
#ifndef TRIMS_DEVICE_DEVICE_PROTOCOL_H_
#define TRIMS_DEVICE_DEVICE_PROTOCOL_H_

#include <cstdint>
#include <type_traits>

#include "trims/status.h"

#include "base/fixed_text.h"
#include "base/unique_fd.h"
#include "device/device.h"

namespace trims {

inline constexpr uint32_t kDeviceProtocolVersion = 4;

enum class DeviceOp : uint32_t {
  kInfo,      // → capacity, granularity, memory, peers_first, name, uuid, copies
  kAttach,    // descriptor, length, wanted → object, detour; with a label, a peer's, of that UUID
  kDetach,    // object
  kAllocate,  // label, length → object
  kCopy,      // object, from, from_offset, offset, length
  kExport,    // object → descriptor
  kFree,      // object
};

struct DeviceRequest {
  uint32_t version = kDeviceProtocolVersion;
  DeviceOp op = DeviceOp::kInfo;
  uint64_t object = 0;
  uint64_t from = 0;
  uint64_t from_offset = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t wanted = 0;
  char label[256] = {};
};

struct DeviceReply {
  uint32_t version = kDeviceProtocolVersion;
  uint32_t code = 0;  // StatusCode
  uint64_t object = 0;
  uint64_t capacity = 0;
  uint64_t granularity = 0;
  uint32_t memory = 0;  // HandleKind
  uint32_t peers_first = 0;
  char name[32] = {};
  char uuid[40] = {};
  char copies[8] = {};
  char detour[256] = {};  // of what was attached
  char message[512] = {};
  char hint[256] = {};
};

static_assert(std::is_trivially_copyable_v<DeviceRequest>);
static_assert(std::is_trivially_copyable_v<DeviceReply>);

// A message, and the descriptor that came or goes with it; empty: none.
template <typename Message>
struct WithFd {
  Message message;
  UniqueFd fd;
};

// Each is one frame; an `fd` of -1 is none. UNAVAILABLE: the peer is gone; INVALID_ARGUMENT: a frame of another size or
// version, or with more descriptors. ReceiveReply waits for `deadline_ms`, and for ever where that is below 0;
// DEADLINE_EXCEEDED.
Status SendMessage(int socket, const DeviceRequest& request, int fd);
Status SendMessage(int socket, const DeviceReply& reply, int fd);
Result<WithFd<DeviceRequest>> ReceiveRequest(int socket);
Result<WithFd<DeviceReply>> ReceiveReply(int socket, int deadline_ms);

}  // namespace trims

#endif  // TRIMS_DEVICE_DEVICE_PROTOCOL_H_
