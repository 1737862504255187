#include "client/connection.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "client/socket_path.h"
#include "wire/request.h"
#include "wire/socket_folder.h"

namespace trims::client {
namespace {

Result<UniqueFd> TryCandidate(const SocketCandidate& candidate) {
  TRIMS_RETURN_IF_ERROR(wire::CheckSocketFolder(candidate.path, candidate.origin));
  return wire::ConnectTo(candidate.path);
}

bool WorthTryingTheNext(const Status& status) {
  return status.code() == StatusCode::kNotFound || status.code() == StatusCode::kUnavailable;
}

Status NoSocket(const std::vector<SocketCandidate>& candidates) {
  std::string tried;
  for (const SocketCandidate& candidate : candidates) {
    tried += (tried.empty() ? "" : " and ") + candidate.path;
  }
  return Status(StatusCode::kUnavailable, "no trimsd socket at " + tried);
}

// With the way to start one, unless the status knows a nearer step.
Status WithHint(const Status& status, const std::vector<SocketCandidate>& candidates) {
  if (!status.hint().empty()) return status;
  const bool named = candidates.size() == 1;
  return Status(status.code(), status.message(), HowToStart(named ? candidates[0].path : ""));
}

}  // namespace

Connection::Connection(UniqueFd socket) : socket_(std::move(socket)), owner_(::getpid()) {}

Result<std::shared_ptr<Connection>> Connection::Make(const std::string& path) {
  const std::vector<SocketCandidate> candidates = SocketCandidates(path);
  Status first = NoSocket(candidates);
  for (const SocketCandidate& candidate : candidates) {
    Result<UniqueFd> socket = TryCandidate(candidate);
    if (socket.ok()) return std::make_shared<Connection>(*std::move(socket));
    Status status = std::move(socket).status();
    if (!WorthTryingTheNext(status)) return status;
    if (status.code() != StatusCode::kNotFound) first = status;
  }
  return WithHint(first, candidates);
}

Status Connection::Send(std::span<const std::byte> frame) {
  return wire::SendFrame(socket_.get(), frame, {});
}

Status Connection::Receive(std::chrono::milliseconds patience, size_t max_fds, wire::Frame* frame) {
  if (patience != patience_) {
    const auto count = patience.count();
    const timeval limit = {.tv_sec = count / 1000, .tv_usec = count % 1000 * 1000};
    if (::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0)
      return ErrnoStatus("setting a deadline");
    patience_ = patience;
  }
  const Status status = wire::ReceiveFrame(socket_.get(), max_fds, frame);
  if (status.code() != StatusCode::kUnavailable) return status;
  // A daemon that refused and left without reading is reported as a reset before its last words
  // are.
  return wire::ReceiveFrame(socket_.get(), max_fds, frame);
}

void Connection::CloseLease(uint64_t lease) {
  if (unheard_.load(std::memory_order_relaxed) || owner_ != ::getpid()) return;
  wire::RequestEncoder encoder;
  if (Send(encoder.Encode({.id = 0, .client = {}, .body = wire::CloseRequest{lease}})).ok()) return;
  // The lease ends with the connection, which gets no new owner. A daemon that stopped reading is
  // waited for once, not at each close.
  unheard_.store(true, std::memory_order_relaxed);
  MarkBroken();
}

bool Connection::Usable() const {
  return !broken_.load(std::memory_order_relaxed) && owner_ == ::getpid();
}

}  // namespace trims::client
