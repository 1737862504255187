#include "device/device_protocol.h"

#include <span>
#include <utility>

#include "base/macros.h"
#include "wire/fixed_message.h"

namespace trims {
namespace {

template <typename Message>
Status Send(int socket, const Message& message, int fd) {
  return wire::SendFixed(socket, message, std::span<const int>(&fd, fd < 0 ? 0 : 1));
}

template <typename Message>
Result<WithFd<Message>> Receive(int socket) {
  TRIMS_ASSIGN_OR_RETURN(
      wire::FixedMessage<Message> received,
      wire::ReceiveFixed<Message>(socket, kDeviceProtocolVersion, 1, "trimsd and trims-device"));
  WithFd<Message> one{.message = received.message, .fd = {}};
  if (!received.fds.empty()) one.fd = std::move(received.fds.front());
  return one;
}

}  // namespace

Status SendMessage(int socket, const DeviceRequest& request, int fd) {
  return Send(socket, request, fd);
}
Status SendMessage(int socket, const DeviceReply& reply, int fd) { return Send(socket, reply, fd); }

Result<WithFd<DeviceRequest>> ReceiveRequest(int socket) { return Receive<DeviceRequest>(socket); }

Result<WithFd<DeviceReply>> ReceiveReply(int socket, int deadline_ms) {
  TRIMS_RETURN_IF_ERROR(wire::WaitReadable(socket, deadline_ms));
  return Receive<DeviceReply>(socket);
}

}  // namespace trims
