// What a session tells those who listen, and how it answers them.
#include <array>
#include <string>
#include <utility>

#include "server/documents.h"
#include "server/session.h"

namespace trims {
namespace {

constexpr std::array<EventKind, kOpenEndNames.size()> kOpenKinds = {
    EventKind::kOpenHit, EventKind::kOpenJoined, EventKind::kOpenMiss, EventKind::kOpenFailed};

}  // namespace

void Session::Serve(uint64_t id, const wire::EventsRequest& request) {
  if (!MayHaveDocument(id)) return;
  Result<EventFilter> filter = MakeEventFilter(request.model, request.kinds, request.opens);
  if (!filter.ok()) return ReplyError(id, filter.status());
  EventQuery query{
      .filter = *std::move(filter), .since = request.since, .opens_since = request.opens_since};
  if (request.wait_ms == 0) return ReplyDocument(id, EventsDocument(context_->events->Read(query)));
  if (const Status status = CheckMayWaitForEvents(); !status.ok()) return ReplyError(id, status);
  const uint64_t token = AddPending(id);
  // No wait outlives the session, and none calls back after it.
  pending_.back().events =
      context_->events->Await(std::move(query), std::chrono::milliseconds(request.wait_ms),
                              [this, token](const EventBatch& batch) {
                                const std::optional<Pending> waiting = TakePending(token);
                                if (!waiting) return;
                                const TimePoint began = context_->clock->Now();
                                if (MayHaveDocument(waiting->id))
                                  ReplyDocument(waiting->id, EventsDocument(batch));
                                ChargeDocument(began);
                                UpdateInterest();  // a place among the requests in flight is free
                              });
}

void Session::TellOpen(OpenEnd end, const OpenTimes& times, Event open) const {
  open.kind = kOpenKinds[static_cast<size_t>(end)];
  if (open.model.find('/') == std::string::npos) open.model.insert(0, "default/");
  open.took = InMicroseconds(context_->clock->Now() - times.began);
  open.queued = InMicroseconds(times.found - times.began);
  open.ready = InMicroseconds(times.ready - times.began);
  open.began_us = InMicroseconds(times.began.time_since_epoch()).count();
  open.client = client_;
  open.uid = principal_.uid;
  open.pid = principal_.pid;
  context_->events->Record(std::move(open));
}

void Session::TellLeasesEnded() const {
  if (leases_.empty()) return;
  context_->events->Record({.kind = EventKind::kLeasesEnded,
                            .client = client_,
                            .uid = principal_.uid,
                            .pid = principal_.pid,
                            .leases = leases_.size()});
}

}  // namespace trims
