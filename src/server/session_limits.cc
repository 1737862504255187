// What a session lets its client ask for and have: leases, waits for events, documents.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <string>

#include "ingest/check_operator.h"
#include "server/session.h"

namespace trims {
namespace {

// Of a socket's buffer, as the kernel counts a reply.
constexpr uint64_t kLeastReplyBytes = 768;

}  // namespace

bool Session::IsOperator() const { return CheckOperator(principal_).ok(); }

Status Session::CheckMayWaitForEvents() const {
  const ServerLimits& limits = context_->limits;
  const auto own = static_cast<size_t>(std::ranges::count_if(
      pending_, [](const Pending& pending) { return pending.events.has_value(); }));
  if (own >= limits.max_event_waits_per_connection) {
    return Status(StatusCode::kResourceExhausted,
                  "this connection waits for events " + std::to_string(own) + " times already",
                  "wait for one answer before asking for the next");
  }
  const size_t most =
      limits.max_event_waits - (IsOperator() ? 0 : limits.event_waits_for_operators);
  if (context_->events->waits() < most) return Status();
  return Status(StatusCode::kResourceExhausted,
                "there are " + std::to_string(context_->events->waits()) +
                    " waits for events already, of at most " + std::to_string(most),
                "ask for what is kept, without waiting, or later");
}

Status Session::CheckMayLease() const {
  const ServerLimits& limits = context_->limits;
  const bool connection = leases_.size() + pending_.size() >= limits.max_leases;
  if (!connection && tally_->count() < limits.max_leases_per_uid) return Status();
  const size_t held = connection ? leases_.size() : tally_->count();
  return Status(StatusCode::kQuotaExceeded,
                (connection ? "this connection holds " : "this user's programs hold ") +
                    std::to_string(held) + " leases, as many as one may",
                "close models that are not needed any more");
}

// Of the loop's time, to its user.
void Session::ChargeDocument(TimePoint began) const {
  if (IsOperator()) return;
  const TimePoint now = context_->clock->Now();
  context_->documents.Take(principal_.uid, now, now - began);
}

// Of the socket's buffer.
size_t Session::UntakenBytes() const {
  int unread = 0;
  if (::ioctl(socket_.get(), SIOCOUTQ, &unread) != 0 || unread <= 0) return 0;
  return static_cast<size_t>(unread);
}

// The kernel says how much of the socket's buffer untaken replies fill, not which they are: each
// counts as the largest document since the socket was empty.
Status Session::CheckDocumentsTaken() {
  const size_t unread = UntakenBytes();
  if (unread == 0) largest_document_ = 0;
  const uint64_t untaken = unread / kLeastReplyBytes * largest_document_;
  if (unread == 0 || untaken < context_->limits.untaken_document_bytes) return Status();
  return Status(StatusCode::kResourceExhausted,
                "this connection has not taken up to " + std::to_string(untaken) +
                    " bytes of documents, as many as may wait",
                "read the replies before asking for more");
}

Status Session::CheckDocumentTime() const {
  if (IsOperator() || context_->documents.Has(principal_.uid, context_->clock->Now()))
    return Status();
  return Status(StatusCode::kResourceExhausted,
                "this user's lists, statuses and events have taken as much of the daemon's time "
                "as they may: a tenth",
                "ask again in a few seconds, and less often");
}

bool Session::MayHaveDocument(uint64_t id) {
  Status may = CheckDocumentTime();
  if (may.ok()) may = CheckDocumentsTaken();
  if (!may.ok()) ReplyError(id, may);
  return may.ok();
}

}  // namespace trims
