#include "server/listener.h"

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/errno_status.h"
#include "base/log.h"
#include "base/sys.h"

namespace trims {
namespace {

constexpr int kAcceptsPerTurn = 32;
constexpr Duration kRest = std::chrono::milliseconds(100);

bool IsTableFull(int error) { return error == EMFILE || error == ENFILE; }
bool IsNobodyThere(int error) { return error == EAGAIN || error == EWOULDBLOCK; }
// The client gave up before it was accepted.
bool IsClientsOwn(int error) { return error == ECONNABORTED || error == EPERM || error == EPROTO; }

UniqueFd OpenSpare() { return sys::Open("/dev/null", O_RDONLY); }

}  // namespace

Listener::Listener(EventLoop* loop, UniqueFd socket, Callbacks callbacks)
    : loop_(loop),
      callbacks_(std::move(callbacks)),
      socket_(std::move(socket)),
      spare_(OpenSpare()) {}

Status Listener::Start() {
  watch_ =
      loop_->poller().Add(socket_.get(), FdPoller::kRead, [this](unsigned) { AcceptWaiting(); });
  return watch_ != 0 ? Status() : ErrnoStatus("watching the listening socket");
}

void Listener::Stop() {
  if (!socket_) return;
  loop_->poller().Remove(watch_);
  loop_->Cancel(rest_timer_);
  socket_.reset();
}

bool Listener::AcceptWaiting() {
  bool any = false;
  for (int i = 0; i < kAcceptsPerTurn && socket_ && AcceptOne(); ++i) any = true;
  return any;
}

// Whether to go on.
bool Listener::AcceptOne() {
  UniqueFd accepted = sys::Accept(socket_.get());
  if (!accepted) return OnAcceptError(errno);
  callbacks_.accepted(std::move(accepted));
  return true;
}

bool Listener::OnAcceptError(int error) {
  if (IsNobodyThere(error)) return false;
  if (IsClientsOwn(error)) return true;
  if (callbacks_.may_log()) {
    LogWarning("accept.failed", {{"error", ErrnoStatus("accepting a connection", error)}});
  }
  if (IsTableFull(error) && TurnOneAway()) return true;
  Rest();
  return false;
}

bool Listener::TurnOneAway() {
  if (!spare_) return false;
  spare_.reset();
  UniqueFd accepted = sys::Accept(socket_.get());
  const bool turned_away = static_cast<bool>(accepted);
  if (turned_away) {
    callbacks_.refused(std::move(accepted),
                       Status(StatusCode::kResourceExhausted, "the daemon has no descriptor left",
                              "raise its limit on open files (systemd: LimitNOFILE=)"));
  }
  spare_ = OpenSpare();
  return turned_away;
}

void Listener::Rest() {
  loop_->poller().SetInterest(watch_, 0);
  if (rest_timer_ != 0) return;  // asked for once more while it rests
  rest_timer_ = loop_->CallAfter(kRest, [this] {
    rest_timer_ = 0;
    if (!spare_) spare_ = OpenSpare();
    loop_->poller().SetInterest(watch_, FdPoller::kRead);
  });
}

}  // namespace trims
