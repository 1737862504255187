// Channel: frames and descriptors over one SOCK_SEQPACKET Unix socket.
//
// One frame is one FlatBuffers message (wire/messages.fbs) with the descriptors that belong to it.
// Nothing here looks inside. Thread-safety: one reader and one writer at a time.
#ifndef TRIMS_WIRE_CHANNEL_H_
#define TRIMS_WIRE_CHANNEL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims::wire {

struct Frame {
  std::vector<std::byte> bytes;
  std::vector<UniqueFd> fds;
};

// One sendmsg(2). UNAVAILABLE: the peer is gone. DEADLINE_EXCEEDED: the socket is non-blocking and
// full (EAGAIN). INVALID_ARGUMENT: larger than kMaxFrameBytes or more than kMaxFramedFds.
Status SendFrame(int socket, std::span<const std::byte> bytes, std::span<const int> fds);

// One recvmsg(2) into `frame`, whose buffers are reused. UNAVAILABLE: end of stream or the peer is
// gone; DEADLINE_EXCEEDED: the socket is non-blocking and empty; INVALID_ARGUMENT: longer than
// kMaxFrameBytes, or more than `max_fds` descriptors (all of which are closed; none is ever left in
// the table).
Status ReceiveFrame(int socket, size_t max_fds, Frame* frame);

// A connected, close-on-exec, blocking socket. Errors as trims::Client::Connect.
Result<UniqueFd> ConnectTo(const std::string& path);

// A listening, close-on-exec, non-blocking socket at `path` with `mode`; a stale socket file is
// replaced. The caller holds the lock that says that no daemon serves it. INVALID_ARGUMENT: the
// path is too long for a socket.
Result<UniqueFd> ListenOn(const std::string& path, mode_t mode, int backlog);

}  // namespace trims::wire

#endif  // TRIMS_WIRE_CHANNEL_H_
