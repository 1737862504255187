#include "server/raw_client.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "wire/protocol.h"

namespace trims::test {

RawClient::RawClient(const std::string& path) {
  Result<UniqueFd> socket = wire::ConnectTo(path);
  EXPECT_TRUE(socket.ok()) << socket.status().ToString();
  if (!socket.ok()) return;
  socket_ = *std::move(socket);
  const timeval patience{.tv_sec = 30, .tv_usec = 0};
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

Status RawClient::Send(const wire::CallBody& body, uint64_t id) {
  wire::Call call;
  call.id = id;
  call.client = "test";
  call.body = body;
  return SendBytes(encoder_.Encode(call));
}

Status RawClient::SendBytes(std::span<const std::byte> bytes, std::span<const int> fds) {
  return wire::SendFrame(socket_.get(), bytes, fds);
}

Result<const wire::Answer*> RawClient::Receive() {
  TRIMS_RETURN_IF_ERROR(wire::ReceiveFrame(socket_.get(), wire::kMaxFramedFds, &frame_));
  TRIMS_RETURN_IF_ERROR(wire::DecodeAnswer(frame_.bytes, &answer_));
  return static_cast<const wire::Answer*>(&answer_);
}

Result<const wire::Answer*> RawClient::Ask(const wire::CallBody& body, uint64_t id) {
  TRIMS_RETURN_IF_ERROR(Send(body, id));
  TRIMS_ASSIGN_OR_RETURN(const wire::Answer* answer, Receive());
  if (const auto* error = std::get_if<Status>(&answer->body)) return *error;
  return answer;
}

Result<uint64_t> RawClient::OpenLease(std::string_view reference) {
  TRIMS_ASSIGN_OR_RETURN(const wire::Answer* answer, Ask(wire::OpenCall{.reference = reference}));
  return std::get<wire::OpenAnswer>(answer->body).lease;
}

Result<std::string> RawClient::Document(const wire::CallBody& body) {
  TRIMS_ASSIGN_OR_RETURN(const wire::Answer* answer, Ask(body));
  const uint64_t length = std::get<wire::DocumentAnswer>(answer->body).length;
  TRIMS_ASSIGN_OR_RETURN(const Mapping mapping,
                         Mapping::OfFile(frame_.fds.at(0).get(), length, PROT_READ));
  return std::string(reinterpret_cast<const char*>(mapping.data()), length);
}

bool RawClient::WaitForEnd() {
  for (;;) {
    const Result<const wire::Answer*> answer = Receive();
    if (answer.ok()) continue;
    return answer.status().code() == StatusCode::kUnavailable;
  }
}

}  // namespace trims::test
