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

Status RawClient::Send(const wire::RequestBody& body, uint64_t id) {
  wire::Request request;
  request.id = id;
  request.client = "test";
  request.body = body;
  return SendBytes(encoder_.Encode(request));
}

Status RawClient::SendBytes(std::span<const std::byte> bytes, std::span<const int> fds) {
  return wire::SendFrame(socket_.get(), bytes, fds);
}

Result<const wire::Reply*> RawClient::Receive() {
  for (told_deadline_ms_ = 0;;) {
    TRIMS_RETURN_IF_ERROR(wire::ReceiveFrame(socket_.get(), wire::kMaxFramedFds, &frame_));
    TRIMS_RETURN_IF_ERROR(wire::DecodeReply(frame_.bytes, &reply_));
    const auto* waiting = std::get_if<wire::WaitingReply>(&reply_.body);
    if (waiting == nullptr) return static_cast<const wire::Reply*>(&reply_);
    told_deadline_ms_ = waiting->deadline_ms;
  }
}

Result<const wire::Reply*> RawClient::Ask(const wire::RequestBody& body, uint64_t id) {
  TRIMS_RETURN_IF_ERROR(Send(body, id));
  TRIMS_ASSIGN_OR_RETURN(const wire::Reply* reply, Receive());
  if (const auto* error = std::get_if<Status>(&reply->body)) return *error;
  return reply;
}

Result<uint64_t> RawClient::OpenLease(std::string_view reference) {
  TRIMS_ASSIGN_OR_RETURN(const wire::Reply* reply, Ask(wire::OpenRequest{.reference = reference}));
  return std::get<wire::OpenReply>(reply->body).lease;
}

Result<std::string> RawClient::Document(const wire::RequestBody& body) {
  TRIMS_ASSIGN_OR_RETURN(const wire::Reply* reply, Ask(body));
  const uint64_t length = std::get<wire::DocumentReply>(reply->body).length;
  TRIMS_ASSIGN_OR_RETURN(const Mapping mapping,
                         Mapping::OfFile(frame_.fds.at(0).get(), length, PROT_READ));
  return std::string(reinterpret_cast<const char*>(mapping.data()), length);
}

bool RawClient::WaitForEnd() {
  for (;;) {
    const Result<const wire::Reply*> reply = Receive();
    if (reply.ok()) continue;
    return reply.status().code() == StatusCode::kUnavailable;
  }
}

}  // namespace trims::test
