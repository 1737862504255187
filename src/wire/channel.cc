#include "wire/channel.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

// Room for all that the kernel passes in one message (SCM_MAX_FD), not only for what a frame may
// carry.
constexpr size_t kKernelMaxFds = 253;
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(int) * kKernelMaxFds);
static_assert(kMaxFramedFds <= kKernelMaxFds);
constexpr timeval kConnectPatience = {.tv_sec = 10, .tv_usec = 0};
constexpr std::string_view kNewSuffix = ".new";

void PutFds(std::span<const int> fds, char* control, msghdr* message) {
  message->msg_control = control;
  message->msg_controllen = CMSG_SPACE(fds.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size_bytes());
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
}

// Takes ownership of every descriptor that the kernel put into this process's table.
void TakeFds(msghdr* message, std::vector<UniqueFd>* fds) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      fds->emplace_back(fd);
    }
  }
}

Status CheckReceived(const msghdr& message, size_t max_fds, size_t fds) {
  if (message.msg_flags & MSG_TRUNC) {
    return Status(StatusCode::kInvalidArgument,
                  "a frame of more than " + std::to_string(kMaxFrameBytes) + " bytes");
  }
  if (fds > max_fds || (max_fds == 0 && (message.msg_flags & MSG_CTRUNC))) {
    return Status(StatusCode::kInvalidArgument,
                  "a frame with descriptors that were not asked for (expected at most " +
                      std::to_string(max_fds) + ")");
  }
  // The control buffer holds all that the kernel passes, so only a full table cuts it.
  if (message.msg_flags & MSG_CTRUNC) {
    return Status(StatusCode::kResourceExhausted,
                  "no room in the descriptor table for what the peer sent", "raise ulimit -n");
  }
  return Status();
}

// An empty socket is no event worth a text: a daemon meets it after every close.
Status ReceiveStatus(int error) {
  if (error == EAGAIN) return Status(StatusCode::kDeadlineExceeded, "nothing came");
  return ErrnoStatus("receiving a frame", error);
}

Result<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path) ||
      path.find('\0') != std::string::npos) {
    return Status(StatusCode::kInvalidArgument,
                  "socket path '" + path + "' has " + std::to_string(path.size()) +
                      " bytes: expected 1 to " + std::to_string(sizeof(address.sun_path) - 1),
                  "a shorter path");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<UniqueFd> NewSocket(int flags) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!socket) return ErrnoStatus("making a socket");
  return socket;
}

bool IsOtherFile(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && !S_ISSOCK(info.st_mode);
}

Status ConnectStatus(const std::string& path, int error) {
  const std::string what = "connecting to " + path;
  if (error == ECONNREFUSED && IsOtherFile(path)) error = ENOTSOCK;
  switch (error) {
    case ECONNREFUSED:
      return Status(StatusCode::kUnavailable, what + ": nobody listens");
    case EAGAIN:
      return Status(StatusCode::kUnavailable, what + ": trimsd takes no connections",
                    "trims status");
    case EPROTOTYPE:
    case ENOTSOCK:
      return Status(StatusCode::kUnavailable, what + ": this is no socket of trimsd",
                    "trims doctor");
    case EACCES:
    case EPERM:
      return Status(StatusCode::kPermissionDenied, what + ": the socket's mode refuses this user",
                    "join the group that owns it: ls -l " + path);
    case ENOENT:
    case ENOTDIR:
      return Status(StatusCode::kNotFound, "no trimsd socket at " + path);
    default:
      return ErrnoStatus(what, error);
  }
}

Status RefuseOtherFiles(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0 || S_ISSOCK(info.st_mode)) return Status();
  return Status(StatusCode::kAlreadyExists, path + " is there and is no socket",
                "another socket path, or move the file away");
}

// The socket gets its mode before it listens, and its name after: nobody can connect too early.
Status BindAndListen(int socket, const sockaddr_un& address, mode_t mode, int backlog) {
  const std::string name = address.sun_path;
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return ErrnoStatus("binding a socket to " + name);
  if (::chmod(name.c_str(), mode) != 0) return ErrnoStatus("setting the mode of " + name);
  if (::listen(socket, backlog) != 0) return ErrnoStatus("listening on " + name);
  return Status();
}

}  // namespace

Status SendFrame(int socket, std::span<const std::byte> bytes, std::span<const int> fds) {
  if (bytes.empty() || bytes.size() > kMaxFrameBytes || fds.size() > kMaxFramedFds) {
    return Status(StatusCode::kInvalidArgument,
                  "a frame of " + std::to_string(bytes.size()) + " bytes and " +
                      std::to_string(fds.size()) + " descriptors: expected 1 to " +
                      std::to_string(kMaxFrameBytes) + " and at most " +
                      std::to_string(kMaxFramedFds));
  }
  alignas(cmsghdr) char control[kControlBytes];
  iovec part = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!fds.empty()) PutFds(fds, control, &message);
  if (sys::SendMessage(socket, &message, 0) >= 0) return Status();
  if (errno == ETOOMANYREFS)
    return Status(StatusCode::kResourceExhausted, "too many descriptors are on their way");
  return ErrnoStatus("sending a frame");
}

Status ReceiveFrame(int socket, size_t max_fds, Frame* frame) {
  // On the stack and not initialised: a frame is small, so most of these pages are never touched.
  alignas(8) std::byte buffer[kMaxFrameBytes];
  alignas(cmsghdr) char control[kControlBytes];
  iovec part = {buffer, sizeof(buffer)};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  // Without a control buffer the kernel drops descriptors before they enter the table.
  if (max_fds > 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
  }
  frame->bytes.clear();
  frame->fds.clear();
  const ssize_t size = sys::ReceiveMessage(socket, &message, 0);
  if (size < 0) return ReceiveStatus(errno);
  std::vector<UniqueFd> fds;
  TakeFds(&message, &fds);
  if (size == 0) return Status(StatusCode::kUnavailable, "the peer closed the connection");
  TRIMS_RETURN_IF_ERROR(CheckReceived(message, max_fds, fds.size()));
  frame->bytes.assign(buffer, buffer + size);
  frame->fds = std::move(fds);
  return Status();
}

Result<UniqueFd> ConnectTo(const std::string& path) {
  TRIMS_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(path));
  TRIMS_ASSIGN_OR_RETURN(UniqueFd socket, NewSocket(0));
  // Bounds connect(2) where the backlog is full, and sends to a daemon that stopped reading.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kConnectPatience, sizeof(kConnectPatience));
  int result;
  do {
    result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return ConnectStatus(path, errno);
  return socket;
}

Result<UniqueFd> ListenOn(const std::string& path, mode_t mode, int backlog) {
  const std::string fresh = path + std::string(kNewSuffix);
  TRIMS_ASSIGN_OR_RETURN(const sockaddr_un address, AddressOf(fresh));
  TRIMS_RETURN_IF_ERROR(RefuseOtherFiles(path));
  TRIMS_ASSIGN_OR_RETURN(UniqueFd socket, NewSocket(SOCK_NONBLOCK));
  ::unlink(fresh.c_str());
  Status status = BindAndListen(socket.get(), address, mode, backlog);
  if (status.ok() && ::rename(fresh.c_str(), path.c_str()) != 0)
    status = ErrnoStatus("renaming a socket to " + path);
  if (status.ok()) return socket;
  ::unlink(fresh.c_str());
  return status;
}

}  // namespace trims::wire
