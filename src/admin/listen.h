// Listening for HTTP: on a Unix socket, whose mode says who may ask, or on an address of TCP.
//
//   TRIMS_ASSIGN_OR_RETURN(UnixListener unix, UnixListener::At("/run/trims/trims-http.sock", 0600));
//   TRIMS_ASSIGN_OR_RETURN(TcpListener tcp, ListenOnTcp("127.0.0.1:9090"));
//
// Thread-safety: values.
#ifndef TRIMS_ADMIN_LISTEN_H_
#define TRIMS_ADMIN_LISTEN_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims::admin {

// Holds the socket's name for as long as it lives, and takes it away then.
class UnixListener {
 public:
  // ALREADY_EXISTS: another one serves it; PERMISSION_DENIED: others may write its folder, or it is another's. What a server that
  // was killed has left is replaced.
  static Result<UnixListener> At(const std::string& path, mode_t mode);
  UnixListener(UnixListener&& other) noexcept
      : path_(std::exchange(other.path_, "")),
        lock_(std::move(other.lock_)),
        socket_(std::move(other.socket_)) {}
  UnixListener& operator=(UnixListener&&) = delete;
  ~UnixListener();

  UniqueFd TakeSocket() { return std::move(socket_); }

 private:
  UnixListener(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  Status Bind(mode_t mode);

  std::string path_;
  UniqueFd lock_;
  UniqueFd socket_;
};

struct TcpListener {
  UniqueFd socket;
  std::string address;  // as it came about: "127.0.0.1:43817" for "127.0.0.1:0"
  bool loopback = false;
};

// "127.0.0.1:9090", "[::1]:9090": numbers, since a name may mean several addresses. INVALID_ARGUMENT for anything else.
Result<TcpListener> ListenOnTcp(const std::string& address);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_LISTEN_H_
