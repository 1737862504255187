// Listener: accepts connections, and keeps its head when there is no descriptor left for one.
//
// With the table full it gives up a spare descriptor to accept and turn away one client after the
// other with RESOURCE_EXHAUSTED; where even that fails it rests for a moment instead of spinning on
// a socket that stays readable.
//
//   Listener listener(&loop, std::move(socket), {.accepted = …, .refused = …});
//   TRIMS_RETURN_IF_ERROR(listener.Start());
//
// Thread-safety: loop only.
#ifndef TRIMS_SERVER_LISTENER_H_
#define TRIMS_SERVER_LISTENER_H_

#include <cstdint>
#include <functional>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "loop/event_loop.h"

namespace trims {

class Listener {
 public:
  struct Callbacks {
    std::function<void(UniqueFd socket)> accepted;
    std::function<void(UniqueFd socket, const Status& why)> refused;
    std::function<bool()> may_log;  // asked for each line that clients can cause at will
  };

  Listener(EventLoop* loop, UniqueFd socket, Callbacks callbacks);
  ~Listener() { Stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  Status Start();
  // Accepts nothing more and closes the socket. Idempotent.
  void Stop();

  // Accepts what is in the backlog now. Whether there was anything.
  bool AcceptWaiting();

 private:
  bool AcceptOne();
  bool OnAcceptError(int error);
  bool TurnOneAway();
  void Rest();

  EventLoop* const loop_;
  const Callbacks callbacks_;
  UniqueFd socket_;
  UniqueFd spare_;
  uint64_t watch_ = 0;
  uint64_t rest_timer_ = 0;
};

}  // namespace trims

#endif  // TRIMS_SERVER_LISTENER_H_
