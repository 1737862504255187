#include "bare/client.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>

#include "base/errno_status.h"
#include "base/macros.h"

namespace trims::bench {

BareClient::BareClient(UniqueFd socket) : socket_(std::move(socket)), buffer_(kMaxBareFrame) {
  mappings_.reserve(kMaxBareDescriptors);
}

BareClient::BareClient(BareClient&& other) noexcept
    : socket_(std::move(other.socket_)),
      buffer_(std::move(other.buffer_)),
      descriptors_(other.descriptors_),
      count_(std::exchange(other.count_, 0)),
      mappings_(std::move(other.mappings_)) {}

Result<BareClient> BareClient::Connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Status(StatusCode::kInvalidArgument, "socket path too long: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return ErrnoStatus("socket");
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoStatus("connect to " + path);
  }
  return BareClient(std::move(socket));
}

Status BareClient::RoundTrip(const ExchangeShape& shape) {
  if (shape.request_bytes < sizeof(BareRequest) || shape.request_bytes > kMaxBareFrame ||
      shape.reply_bytes > kMaxBareFrame || shape.descriptors > kMaxBareDescriptors) {
    return Status(StatusCode::kInvalidArgument, "an exchange beyond the bare protocol's bounds");
  }
  CloseDescriptors();
  const BareRequest request{static_cast<uint32_t>(shape.descriptors),
                            static_cast<uint32_t>(shape.reply_bytes)};
  std::memcpy(buffer_.data(), &request, sizeof(request));
  if (send(socket_.get(), buffer_.data(), shape.request_bytes, MSG_NOSIGNAL) < 0) {
    return ErrnoStatus("send to the bare server");
  }
  return Receive(shape);
}

Status BareClient::Receive(const ExchangeShape& shape) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxBareDescriptors * sizeof(int))];
  iovec bytes{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof(control);
  const ssize_t got = recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  if (got < 0) return ErrnoStatus("receive from the bare server");
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
    count_ = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    std::memcpy(descriptors_.data(), CMSG_DATA(header), count_ * sizeof(int));
  }
  if (static_cast<size_t>(got) != shape.reply_bytes || count_ != shape.descriptors) {
    return Status(StatusCode::kInternal, "the bare server's reply is not what was asked for");
  }
  return {};
}

Status BareClient::MapExtents() {
  for (size_t i = 1; i < count_; ++i) {
    struct stat info;
    if (::fstat(descriptors_[i], &info) != 0) return ErrnoStatus("fstat");
    TRIMS_ASSIGN_OR_RETURN(
        Mapping mapping,
        Mapping::OfFile(descriptors_[i], static_cast<size_t>(info.st_size), PROT_READ));
    mappings_.push_back(std::move(mapping));
  }
  return {};
}

void BareClient::CloseDescriptors() {
  for (size_t i = 0; i < count_; ++i) UniqueFd(descriptors_[i]).reset();
  count_ = 0;
}

}  // namespace trims::bench
