#include "device/device_protocol.h"

#include <poll.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "wire/channel.h"

namespace trims {
namespace {

template <typename Message>
Status Send(int socket, const Message& message, int fd) {
  const std::span<const int> fds(&fd, fd < 0 ? 0 : 1);
  return wire::SendFrame(socket, std::as_bytes(std::span(&message, 1)), fds);
}

template <typename Message>
Result<WithFd<Message>> Receive(int socket) {
  wire::Frame frame;
  TRIMS_RETURN_IF_ERROR(wire::ReceiveFrame(socket, 1, &frame));
  WithFd<Message> received;
  if (frame.bytes.size() != sizeof(Message)) {
    return Status(StatusCode::kInvalidArgument,
                  "a message of " + std::to_string(frame.bytes.size()) + " bytes, expected " +
                      std::to_string(sizeof(Message)),
                  "trimsd and trims-device of one release");
  }
  std::memcpy(&received.message, frame.bytes.data(), sizeof(Message));
  if (received.message.version != kDeviceProtocolVersion) {
    return Status(StatusCode::kInvalidArgument,
                  "a message of version " + std::to_string(received.message.version) +
                      ", expected " + std::to_string(kDeviceProtocolVersion),
                  "trimsd and trims-device of one release");
  }
  if (!frame.fds.empty()) received.fd = std::move(frame.fds.front());
  return received;
}

Status WaitReadable(int socket, int deadline_ms) {
  pollfd waited{.fd = socket, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&waited, 1, deadline_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return ErrnoStatus("waiting for a device's process");
  if (ready > 0) return Status();
  return Status(StatusCode::kDeadlineExceeded,
                "no answer within " + std::to_string(deadline_ms) + " ms");
}

}  // namespace

Status SendMessage(int socket, const DeviceRequest& request, int fd) {
  return Send(socket, request, fd);
}
Status SendMessage(int socket, const DeviceReply& reply, int fd) { return Send(socket, reply, fd); }

Result<WithFd<DeviceRequest>> ReceiveRequest(int socket) { return Receive<DeviceRequest>(socket); }

Result<WithFd<DeviceReply>> ReceiveReply(int socket, int deadline_ms) {
  TRIMS_RETURN_IF_ERROR(WaitReadable(socket, deadline_ms));
  return Receive<DeviceReply>(socket);
}

}  // namespace trims
