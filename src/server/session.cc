#include "server/session.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "wire/protocol.h"

namespace trims {
namespace {

constexpr int kFramesDrainedAtEnd = 16;

// The kernel doubles what it is given. Should it refuse, its own limit stands.
void LimitUnread(int socket, size_t bytes) {
  const int half = static_cast<int>(bytes / 2);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &half, sizeof half);
}

}  // namespace

Session::Session(SessionContext* context, uint64_t id, UniqueFd socket,
                 const wire::Principal& principal, std::shared_ptr<Tally> leases)
    : context_(context),
      id_(id),
      socket_(std::move(socket)),
      principal_(principal),
      outbox_(socket_.get()),
      tally_(std::move(leases)) {}

Session::~Session() { End(); }

Status Session::Start() {
  LimitUnread(socket_.get(), context_->limits.unread_bytes);
  interest_ = FdPoller::kRead;
  watch_ = context_->loop->poller().Add(socket_.get(), interest_,
                                        [this](unsigned ready) { OnReady(ready); });
  if (watch_ != 0) return Status();
  const Status why(StatusCode::kResourceExhausted, "the event loop can't watch another connection",
                   "raise fs.epoll.max_user_watches");
  ReplyError(0, why);
  return why;
}

void Session::Stop(const Status& why) {
  const std::shared_ptr<Session> self = shared_from_this();
  for (const Pending& pending : pending_) {
    if (!ending_) ReplyError(pending.id, why);
  }
  End();
}

void Session::End() {
  if (std::exchange(ended_, true)) return;
  ending_ = true;
  context_->loop->poller().Remove(watch_);
  context_->loop->Cancel(unsent_timer_);
  context_->loop->Cancel(load_timer_);
  context_->requests_in_flight -= pending_.size();
  pending_.clear();  // opens that wait are given up
  TellLeasesEnded();
  leases_.clear();
  DrainUnread();
  ::shutdown(socket_.get(), SHUT_RDWR);
  context_->on_end(id_);
}

// For callers in whose stack nobody may hold this session: its end destroys it.
void Session::EndSoon() {
  if (std::exchange(ending_, true)) return;
  context_->loop->poller().Remove(watch_);
  context_->loop->Post([weak = weak_from_this()] {
    if (const std::shared_ptr<Session> self = weak.lock()) self->End();
  });
}

// A socket that is closed with frames unread makes the peer's next call fail before it sees the
// last reply.
void Session::DrainUnread() {
  for (int i = 0; i < kFramesDrainedAtEnd; ++i) {
    char byte;
    if (::recv(socket_.get(), &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC) <= 0) return;
  }
}

// What a client said before it left, so that one that leaves in order isn't taken for one that died.
void Session::TakeLastCloses() {
  for (size_t frames = leases_.size() + kFramesDrainedAtEnd; !leases_.empty() && frames > 0;
       --frames) {
    wire::Request& request = context_->request;
    if (!wire::ReceiveFrame(socket_.get(), 0, &context_->frame).ok()) return;
    if (!wire::DecodeRequest(context_->frame.bytes, &request).ok()) return;
    if (const auto* close = std::get_if<wire::CloseRequest>(&request.body)) {
      Serve(request.id, *close);
    }
  }
}

void Session::OnReady(unsigned ready) {
  const std::shared_ptr<Session> self = shared_from_this();
  if (ready & FdPoller::kHangUp) {
    TakeLastCloses();
    return End();
  }
  if (ready & FdPoller::kWrite) FlushUnsent();
  if (ready & FdPoller::kRead) ReadFrames();
  UpdateInterest();
}

// While replies are unsent nothing is read: a client can't end a lease whose descriptors are still
// to be sent, and can't make the daemon hold more for it than was on its way.
bool Session::MayRead() const {
  return !ending_ && outbox_.empty() && pending_.size() < context_->limits.max_requests_in_flight;
}

void Session::ReadFrames() {
  for (int i = 0; i < context_->limits.max_frames_per_turn && MayRead(); ++i) {
    if (!HandleFrame()) return;
  }
}

// Whether it is worth looking for another frame now. Closes are one way and come before something
// else; after a request its reply has to be read first.
bool Session::HandleFrame() {
  Status received = wire::ReceiveFrame(socket_.get(), 0, &context_->frame);
  if (received.code() == StatusCode::kDeadlineExceeded) return false;
  if (received.code() == StatusCode::kUnavailable) {
    End();
    return false;
  }
  wire::Request& request = context_->request;
  request.id = 0;
  if (received.ok()) received = wire::DecodeRequest(context_->frame.bytes, &request);
  if (!received.ok()) {
    // A well-formed request of a later build costs an earlier one's client nothing but the reply.
    if (greeted_ && received.code() == StatusCode::kUnimplemented) {
      ReplyError(request.id, received);
    } else {
      DropWithReply(received);
    }
    return false;
  }
  if (!std::exchange(greeted_, true)) {
    client_ = request.client.value_or("");
    holder_ = std::make_shared<const Holder>(
        Holder{.client = client_, .uid = principal_.uid, .pid = principal_.pid});
    context_->on_first_frame(id_);
    LogDebug("connection.open",
             {{"client", client_}, {"uid", principal_.uid}, {"pid", principal_.pid}});
  }
  const bool one_way = std::holds_alternative<wire::CloseRequest>(request.body) ||
                       std::holds_alternative<wire::CancelRequest>(request.body);
  Dispatch(request);
  return one_way;
}

void Session::DropWithReply(const Status& why) {
  const bool clients_doing =
      why.code() == StatusCode::kInvalidArgument || why.code() == StatusCode::kUnimplemented;
  if (clients_doing) ++context_->counters.violations;
  if (!clients_doing || context_->may_log_violation()) {
    LogWarning(clients_doing ? "connection.violation" : "connection.failed",
               {{"error", why},
                {"client", client_},
                {"uid", principal_.uid},
                {"gid", principal_.gid},
                {"pid", principal_.pid}});
  }
  ReplyError(context_->request.id, why);
  End();
}

void Session::FlushUnsent() {
  bool progress = false;
  const Status flushed = outbox_.Flush(&progress);
  if (!flushed.ok()) return End();
  if (progress) {
    context_->loop->Cancel(std::exchange(unsent_timer_, 0));
    ArmUnsentTimer();
  }
}

void Session::UpdateInterest() {
  if (ending_) return;
  ArmUnsentTimer();
  const unsigned wanted =
      (MayRead() ? FdPoller::kRead : 0) | (outbox_.empty() ? 0 : FdPoller::kWrite);
  if (wanted == interest_) return;
  interest_ = wanted;
  context_->loop->poller().SetInterest(watch_, wanted);
}

void Session::ArmUnsentTimer() {
  if (outbox_.empty() || unsent_timer_ != 0) return;
  unsent_timer_ = context_->loop->CallAfter(context_->limits.unsent_deadline, [this] {
    const std::shared_ptr<Session> self = shared_from_this();
    ++context_->counters.dropped_unread;
    LogWarning("connection.unread",
               {{"client", client_}, {"uid", principal_.uid}, {"pid", principal_.pid}});
    End();
  });
}

}  // namespace trims
