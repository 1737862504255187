#include "trims/client.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/byte_rate.h"
#include "base/macros.h"
#include "base/traceparent.h"
#include "client/client_impl.h"
#include "client/document.h"
#include "client/model_impl.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long a daemon may take to say by when it answers an open that names no deadline.
constexpr milliseconds kUntold = std::chrono::seconds(60);
// The daemon answers at its deadline; only one that hangs makes a client wait for this.
constexpr milliseconds kGrace = std::chrono::seconds(10);
constexpr milliseconds kLongestDeadline = std::chrono::hours(24);

Status CheckOpen(std::string_view reference, const OpenOptions& options) {
  if (reference.empty() || reference.size() > wire::kMaxReferenceBytes) {
    return Status(StatusCode::kInvalidArgument,
                  "a model reference of " + std::to_string(reference.size()) +
                      " bytes: expected 1 to " + std::to_string(wire::kMaxReferenceBytes));
  }
  if (options.variant_key.size() > wire::kMaxVariantKeyBytes) {
    return Status(
        StatusCode::kInvalidArgument,
        "a variant key of more than " + std::to_string(wire::kMaxVariantKeyBytes) + " bytes");
  }
  if (!options.tier.empty()) TRIMS_RETURN_IF_ERROR(wire::CheckTierName(options.tier));
  if (options.deadline.count() < 0)
    return Status(StatusCode::kInvalidArgument, "a negative deadline");
  return Status();
}

// Whoever started this process wrote it, for all that it does: what is malformed there is no reason to fail.
std::string TraceparentOfEnvironment() {
  const char* text = ::getenv("TRACEPARENT");
  if (text == nullptr) return "";
  const Result<Traceparent> parent = ParseTraceparent(text);
  return parent.ok() ? FormatTraceparent(*parent) : "";
}

Result<std::string> TraceparentOf(const OpenOptions& options, const std::string& otherwise) {
  if (options.traceparent.empty()) return otherwise;
  TRIMS_ASSIGN_OR_RETURN(const Traceparent parent, ParseTraceparent(options.traceparent));
  return FormatTraceparent(parent);
}

Status WrongKind() {
  return Status(StatusCode::kInternal, "trimsd answered another question",
                "libtrims and trimsd of one release");
}

LoadProgress LoadProgressOf(const wire::ProgressReply& reply) {
  const uint64_t done = std::min(reply.done, reply.total);
  return {.tier = std::string(reply.stage),
          .bytes_done = done,
          .bytes_total = reply.total,
          .bytes_per_second = reply.bytes_per_second,
          .remaining = RemainingTime(reply.total - done, reply.bytes_per_second)};
}

// The daemon's text for a caller: what a system call says about a socket means little to them.
Status LostConnection(const Status& status) {
  if (status.code() == StatusCode::kUnavailable)
    return Status(StatusCode::kUnavailable, "trimsd closed the connection", "trims status");
  if (status.code() == StatusCode::kDeadlineExceeded)
    return Status(StatusCode::kDeadlineExceeded, "trimsd did not answer in time", "trims status");
  return status;
}

}  // namespace

Client::Impl::Impl(const ClientOptions& options)
    : socket_path_(options.socket_path),
      name_(options.client_name.empty() ? program_invocation_short_name : options.client_name),
      traceparent_(TraceparentOfEnvironment()),
      document_timeout_(std::max(options.document_timeout, milliseconds(1))) {}

Status Client::Impl::Connect() {
  MutexLock lock(mutex_);
  return UsableConnection().status();
}

Result<std::shared_ptr<client::Connection>> Client::Impl::MakeConnection() const {
  client::Tracer* const tracer = client::Tracer::OfProcess();
  if (tracer == nullptr) return client::Connection::Make(socket_path_);
  const TimePoint begin = SteadyClock().Now();
  Result<std::shared_ptr<client::Connection>> made = client::Connection::Make(socket_path_);
  client::RecordSince(tracer, "connect", begin);
  return made;
}

Result<std::shared_ptr<client::Connection>> Client::Impl::UsableConnection() {
  if (connection_ != nullptr && connection_->Usable()) return connection_;
  connection_.reset();
  TRIMS_ASSIGN_OR_RETURN(connection_, MakeConnection());
  return connection_;
}

bool Client::Impl::Tell(const wire::ProgressReply& progress, const Terms& terms) {
  if (!terms.on_progress) return true;
  telling_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  const bool go_on = terms.on_progress(progress);
  telling_.store(std::thread::id(), std::memory_order_relaxed);
  return go_on;
}

Status Client::Impl::CheckMayWait() const {
  if (telling_.load(std::memory_order_relaxed) != std::this_thread::get_id()) return Status();
  return Status(StatusCode::kFailedPrecondition,
                "this client is waiting for an answer: it was used in its own progress callback",
                "a client of its own for what a callback asks");
}

Status Client::Impl::AwaitReply(uint64_t id, const Terms& terms, Received* received) {
  steady_clock::time_point end = steady_clock::now() + terms.patience;
  milliseconds patience = terms.patience;
  for (;;) {
    TRIMS_RETURN_IF_ERROR(received->connection->Receive(patience, terms.max_fds, &received->frame));
    TRIMS_RETURN_IF_ERROR(wire::DecodeReply(received->frame.bytes, &received->reply));
    if (received->reply.id != id && received->reply.id != 0) return WrongKind();
    if (const auto* waiting = std::get_if<wire::WaitingReply>(&received->reply.body)) {
      end = steady_clock::now() + milliseconds(waiting->deadline_ms) + kGrace;
    } else if (const auto* progress = std::get_if<wire::ProgressReply>(&received->reply.body)) {
      if (!Tell(*progress, terms))
        return Status(StatusCode::kCancelled, "the caller gave up waiting");
    } else {
      return Status();
    }
    patience = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    if (patience.count() <= 0) return Status(StatusCode::kDeadlineExceeded, "no answer in time");
  }
}

Status Client::Impl::AskOnce(const wire::RequestBody& body, const Terms& terms, Received* received,
                             bool* sent) {
  const uint64_t id = ++last_id_;
  wire::Request request{.id = id, .client = {}, .body = body};
  if (!received->connection->greeted()) request.client = name_;
  const Status status = received->connection->Send(encoder_.Encode(request));
  if (!status.ok()) {
    // It may have said why it hung up.
    const bool gone = status.code() == StatusCode::kUnavailable;
    return gone && AwaitReply(id, terms, received).ok() ? Status() : status;
  }
  received->connection->set_greeted();
  *sent = true;
  return AwaitReply(id, terms, received);
}

// Models that were opened over the connection keep it, and it must not keep a lease that nobody has. If
// that can't be sent, the connection has ended or will.
void Client::Impl::GiveUp(uint64_t id, client::Connection* connection) {
  static_cast<void>(
      connection->Send(encoder_.Encode({.id = 0, .client = {}, .body = wire::CancelRequest{id}})));
}

Status Client::Impl::Ask(const wire::RequestBody& body, const Terms& terms, Received* received) {
  for (bool repeated = false;; repeated = true) {
    const std::shared_ptr<client::Connection> before = connection_;
    TRIMS_ASSIGN_OR_RETURN(received->connection, UsableConnection());
    const bool reused = received->connection == before;
    bool sent = false;
    const Status status = AskOnce(body, terms, received, &sent);
    if (status.ok()) break;
    if (status.code() == StatusCode::kCancelled) GiveUp(last_id_, received->connection.get());
    // Whatever comes over it now may belong to the request that was given up.
    received->connection->MarkBroken();
    connection_.reset();
    // A daemon that was restarted meanwhile is no reason to fail.
    const bool lost = status.code() == StatusCode::kUnavailable;
    if (!lost || !reused || repeated || (sent && !terms.repeatable)) return LostConnection(status);
  }
  if (Status* error = std::get_if<Status>(&received->reply.body)) return std::move(*error);
  return Status();
}

Result<Model> Client::Impl::Open(std::string_view reference, const OpenOptions& options) {
  TRIMS_RETURN_IF_ERROR(CheckMayWait());
  TRIMS_RETURN_IF_ERROR(CheckOpen(reference, options));
  TRIMS_ASSIGN_OR_RETURN(std::string traceparent, TraceparentOf(options, traceparent_));
  client::OpenTrace trace(reference, std::move(traceparent));
  return trace.Ended(OpenTraced(reference, options, &trace));
}

Result<Model> Client::Impl::OpenTraced(std::string_view reference, const OpenOptions& options,
                                       client::OpenTrace* trace) {
  const milliseconds deadline = std::min(options.deadline, kLongestDeadline);
  const wire::OpenRequest request{.reference = reference,
                                  .variant = options.variant,
                                  .variant_key = options.variant_key,
                                  .deadline_ms = static_cast<uint32_t>(deadline.count()),
                                  .tier = options.tier,
                                  .progress = options.progress != nullptr,
                                  .traceparent = trace->traceparent(),
                                  .runs = true};
  Terms terms{.patience = (deadline.count() > 0 ? deadline : kUntold) + kGrace,
              .repeatable = true,
              .max_fds = wire::kMaxFramedFds,
              .on_progress = {}};
  if (options.progress) {
    terms.on_progress = [&options](const wire::ProgressReply& reply) {
      return options.progress(LoadProgressOf(reply));
    };
  }
  Received received;
  {
    MutexLock lock(mutex_);
    TRIMS_RETURN_IF_ERROR(Ask(request, terms, &received));
  }
  trace->Replied();
  const auto* reply = std::get_if<wire::OpenReply>(&received.reply.body);
  if (reply == nullptr) return WrongKind();
  TRIMS_ASSIGN_OR_RETURN(
      std::unique_ptr<Model::Impl> impl,
      Model::Impl::Make(*reply, std::move(received.frame.fds), std::move(received.connection)));
  return Model(std::move(impl));
}

Result<std::string> Client::Impl::AskForDocument(const wire::RequestBody& body, Terms terms) {
  TRIMS_RETURN_IF_ERROR(CheckMayWait());
  Received received;
  terms.max_fds = 1;
  {
    MutexLock lock(mutex_);
    TRIMS_RETURN_IF_ERROR(Ask(body, terms, &received));
  }
  const auto* reply = std::get_if<wire::DocumentReply>(&received.reply.body);
  if (reply == nullptr || received.frame.fds.size() != 1) return WrongKind();
  return client::ReadDocument(received.frame.fds.front().get(), reply->length);
}

Result<Client> Client::Connect(const ClientOptions& options) {
  auto impl = std::make_shared<Impl>(options);
  TRIMS_RETURN_IF_ERROR(impl->Connect());
  return Client(std::move(impl));
}

Client::Client(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Model> Client::Open(std::string_view reference, const OpenOptions& options) {
  if (!impl_) return Status(StatusCode::kFailedPrecondition, "the client was moved from");
  return impl_->Open(reference, options);
}

}  // namespace trims
