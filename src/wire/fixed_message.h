// Fixed messages: one struct in a SOCK_SEQPACKET frame, with the descriptors that belong to it. For processes of
// one machine that belong together, such as a daemon and its trims-device.
//
// The struct is trivially copyable and begins with a uint32_t `version`; it travels as it lies in memory.
//
//   TRIMS_RETURN_IF_ERROR(SendFixed(socket, request, fds));
//   TRIMS_RETURN_IF_ERROR(WaitReadable(socket, 5000));
//   TRIMS_ASSIGN_OR_RETURN(FixedMessage<Answer> answer,
//                          ReceiveFixed<Answer>(socket, kVersion, 1, "trimsd and trims-x"));
//
// Thread-safety: as a frame's.
#ifndef TRIMS_WIRE_FIXED_MESSAGE_H_
#define TRIMS_WIRE_FIXED_MESSAGE_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/macros.h"
#include "base/unique_fd.h"
#include "wire/channel.h"

namespace trims::wire {

template <typename Message>
struct FixedMessage {
  Message message;
  std::vector<UniqueFd> fds;
};

// Errors as SendFrame's.
template <typename Message>
Status SendFixed(int socket, const Message& message, std::span<const int> fds) {
  static_assert(std::is_trivially_copyable_v<Message>);
  return SendFrame(socket, std::as_bytes(std::span(&message, 1)), fds);
}

// INVALID_ARGUMENT: a frame of another size or version, with the hint that `both` be of one release; other errors
// as ReceiveFrame's.
template <typename Message>
Result<FixedMessage<Message>> ReceiveFixed(int socket, uint32_t version, size_t max_fds,
                                           const std::string& both) {
  static_assert(std::is_trivially_copyable_v<Message>);
  Frame frame;
  TRIMS_RETURN_IF_ERROR(ReceiveFrame(socket, max_fds, &frame));
  FixedMessage<Message> received;
  const std::string hint = both + " of one release";
  if (frame.bytes.size() != sizeof(Message)) {
    return Status(StatusCode::kInvalidArgument,
                  "a message of " + std::to_string(frame.bytes.size()) + " bytes, expected " +
                      std::to_string(sizeof(Message)),
                  hint);
  }
  std::memcpy(&received.message, frame.bytes.data(), sizeof(Message));
  if (received.message.version != version) {
    return Status(StatusCode::kInvalidArgument,
                  "a message of version " + std::to_string(received.message.version) +
                      ", expected " + std::to_string(version),
                  hint);
  }
  received.fds = std::move(frame.fds);
  return received;
}

// DEADLINE_EXCEEDED: nothing came within `deadline_ms`; below 0 is for ever.
Status WaitReadable(int fd, int deadline_ms);

}  // namespace trims::wire

#endif  // TRIMS_WIRE_FIXED_MESSAGE_H_
