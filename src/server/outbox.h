// Outbox: the replies that a client's full socket has not taken yet, in order, with what their
// descriptors belong to.
//
//   Status sent = outbox.Send(bytes, fds);          // now if it can be, else queued
//   …
//   if (writable) sent = outbox.Flush(&progress);
//
// Thread-safety: loop only.
#ifndef TRIMS_SERVER_OUTBOX_H_
#define TRIMS_SERVER_OUTBOX_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "trims/status.h"

#include "store/host_memory.h"

namespace trims {

class Outbox {
 public:
  explicit Outbox(int socket) : socket_(socket) {}  // borrowed, non-blocking

  // The descriptors are borrowed until the reply is sent or the outbox goes: they are those of
  // `document`, or of a lease that the caller keeps that long. OK: sent or queued. UNAVAILABLE: the
  // client is gone. Anything else: this reply can't be sent (no memory, too many descriptors on
  // their way), and the caller may send another in its place.
  Status Send(std::span<const std::byte> bytes, std::span<const int> fds,
              std::optional<SealedExtent> document = std::nullopt);

  // For what nobody misses: it is sent if it can be now, and left out if not. UNAVAILABLE and the rest
  // as above.
  Status Offer(std::span<const std::byte> bytes);

  // Sends what the socket takes. Sets `progress` to whether that was anything.
  Status Flush(bool* progress);

  bool empty() const { return queue_.empty(); }
  size_t size() const { return queue_.size(); }

 private:
  struct Unsent {
    std::vector<std::byte> bytes;
    std::vector<int> fds;
    std::optional<SealedExtent> document;
  };

  const int socket_;
  std::deque<Unsent> queue_;
};

}  // namespace trims

#endif  // TRIMS_SERVER_OUTBOX_H_
