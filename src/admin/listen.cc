#include "admin/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <charconv>
#include <cstring>
#include <optional>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims::admin {
namespace {

constexpr int kBacklog = 128;

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Who may write the folder may put a server of their own there.
Status CheckFolder(const std::string& folder) {
  struct stat info;
  if (::stat(folder.c_str(), &info) != 0) {
    const Status status = ErrnoStatus("looking at the socket's folder " + folder);
    return Status(status.code(), status.message(),
                  "start trimsd first, which makes its own, or name another: --http-socket PATH");
  }
  const bool own = info.st_uid == ::geteuid() || info.st_uid == 0;
  const bool written_by_others = (info.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  if (own && !written_by_others) return Status();
  return Status(StatusCode::kPermissionDenied,
                "others than this user and root may write the socket's folder " + folder,
                "name a socket in a folder of its own: --http-socket PATH");
}

Result<UniqueFd> LockFor(const std::string& path) {
  UniqueFd lock =
      sys::Open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (!lock) return ErrnoStatus("opening the lock " + path + ".lock");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return ErrnoStatus("locking " + path + ".lock");
  return Status(StatusCode::kAlreadyExists, "another trims-http serves " + path,
                "use that one, stop it, or name another place: --http-socket PATH");
}

Status RemoveStale(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) return Status();
  if (!S_ISSOCK(info.st_mode)) {
    return Status(StatusCode::kAlreadyExists, path + " is there, and no socket",
                  "remove it, or name another place: --http-socket PATH");
  }
  return ::unlink(path.c_str()) == 0 ? Status() : ErrnoStatus("removing the stale " + path);
}

struct ParsedAddress {
  sockaddr_storage address = {};
  socklen_t size = 0;
  bool loopback = false;
};

std::optional<uint16_t> PortOf(const std::string& text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

std::optional<ParsedAddress> ParseAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::optional<uint16_t> port = PortOf(text.substr(colon + 1));
  std::string host = text.substr(0, colon);
  if (!port) return std::nullopt;
  ParsedAddress parsed;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&parsed.address);
    if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6->sin6_addr) != 1)
      return std::nullopt;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(*port);
    parsed.size = sizeof(*v6);
    parsed.loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    return parsed;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&parsed.address);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) != 1) return std::nullopt;
  v4->sin_family = AF_INET;
  v4->sin_port = htons(*port);
  parsed.size = sizeof(*v4);
  parsed.loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
  return parsed;
}

uint16_t BoundPort(int socket) {
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

Result<UnixListener> UnixListener::At(const std::string& path, mode_t mode) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Status(StatusCode::kInvalidArgument,
                  "the socket's path " + path + " has " + std::to_string(path.size()) +
                      " bytes: expected at most " +
                      std::to_string(sizeof(sockaddr_un::sun_path) - 1));
  }
  TRIMS_RETURN_IF_ERROR(CheckFolder(FolderOf(path)));
  TRIMS_ASSIGN_OR_RETURN(UniqueFd lock, LockFor(path));
  TRIMS_RETURN_IF_ERROR(RemoveStale(path));
  UnixListener listener(path, std::move(lock));
  TRIMS_RETURN_IF_ERROR(listener.Bind(mode));
  return listener;
}

// The mode before anybody can connect.
Status UnixListener::Bind(mode_t mode) {
  socket_ = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return ErrnoStatus("making a socket");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
    return ErrnoStatus("binding " + path_);
  if (::chmod(path_.c_str(), mode) != 0) return ErrnoStatus("setting the mode of " + path_);
  return ::listen(socket_.get(), kBacklog) == 0 ? Status() : ErrnoStatus("listening on " + path_);
}

UnixListener::~UnixListener() {
  if (!path_.empty() && lock_) ::unlink(path_.c_str());
}

Result<TcpListener> ListenOnTcp(const std::string& address) {
  const std::optional<ParsedAddress> parsed = ParseAddress(address);
  if (!parsed) {
    return Status(StatusCode::kInvalidArgument,
                  "'" + address + "' is no address and port: expected numbers",
                  "--listen 127.0.0.1:9090 or --listen [::1]:9090");
  }
  TcpListener listener{.socket = UniqueFd(::socket(parsed->address.ss_family,
                                                   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
                       .loopback = parsed->loopback};
  if (!listener.socket) return ErrnoStatus("making a socket");
  const int on = 1;
  ::setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(listener.socket.get(), reinterpret_cast<const sockaddr*>(&parsed->address),
             parsed->size) != 0 ||
      ::listen(listener.socket.get(), kBacklog) != 0) {
    return ErrnoStatus("listening on " + address);
  }
  listener.address =
      address.substr(0, address.rfind(':') + 1) + std::to_string(BoundPort(listener.socket.get()));
  return listener;
}

}  // namespace trims::admin
