// Connection: one socket to the daemon, shared by a Client and the Models that were opened through
// it, whose leases live as long as it does.
//
// Thread-safety: Send is safe from any thread (a frame is sent whole); Receive is for the one
// thread that awaits a reply.
#ifndef TRIMS_CLIENT_CONNECTION_H_
#define TRIMS_CLIENT_CONNECTION_H_

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "wire/channel.h"

namespace trims::client {

class Connection {
 public:
  explicit Connection(UniqueFd socket);

  // The first candidate that answers; `path` empty: the sockets that trims::Client::Connect names.
  static Result<std::shared_ptr<Connection>> Make(const std::string& path);

  Status Send(std::span<const std::byte> frame);
  // DEADLINE_EXCEEDED after `patience`.
  Status Receive(std::chrono::milliseconds patience, size_t max_fds, wire::Frame* frame);

  // One way, and so over a broken connection too, which other Models may keep. Does nothing in a
  // child that inherited the connection by fork(): the lease is its parent's.
  void CloseLease(uint64_t lease);

  // Not broken, and of this process.
  bool Usable() const;
  // Nothing that comes over it can be relied upon any more; what is sent still arrives.
  void MarkBroken() { broken_.store(true, std::memory_order_relaxed); }

  bool greeted() const { return greeted_; }
  void set_greeted() { greeted_ = true; }

 private:
  const UniqueFd socket_;
  const pid_t owner_;
  std::atomic<bool> broken_{false};
  std::atomic<bool> unheard_{false};      // sending failed
  bool greeted_ = false;                  // of the receiving thread
  std::chrono::milliseconds patience_{};  // of the receiving thread: what the socket is set to
};

}  // namespace trims::client

#endif  // TRIMS_CLIENT_CONNECTION_H_
