// The requests of a session and their replies; session.cc has the connection itself, session_limits.cc what it may ask for.
#include <algorithm>
#include <span>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "server/documents.h"
#include "server/session.h"
#include "store/host_memory.h"

namespace trims {
namespace {

Event AnsweredOpen(const Lease& lease, std::string_view traceparent) {
  return {.model = lease.image().reference,
          .variant = VariantName(lease.image().kind),
          .tier = lease.tier(),
          .load = lease.load(),
          .traceparent = std::string(traceparent)};
}

// Of the model nobody knows more than what was asked for.
Event FailedOpen(const OpenParams& params, std::string_view traceparent, const Status& why) {
  return {.model = std::string(params.reference),
          .variant = VariantName(params.variant),
          .traceparent = std::string(traceparent),
          .error = why};
}

void AddExtents(const ResidentBytes& bytes, SessionContext* context) {
  for (const Handle& extent : bytes.extents) {
    context->fds.push_back(extent.fd.get());
    context->extents.push_back(
        {.length = extent.length, .pages = extent.pages, .kind = extent.kind});
  }
}

// The descriptors of all parts follow each other, in which the runs' are numbered.
void AddRuns(const Lease& lease, SessionContext* context) {
  std::vector<size_t> first = {0};  // extent of each part
  for (const Lease& borrowed : lease.borrowed()) {
    first.push_back(context->extents.size());
    AddExtents(borrowed.bytes(), context);
  }
  for (const ManifestRun& run : lease.image().variant.runs) {
    context->runs.push_back({.extent = static_cast<uint32_t>(first[run.part] + run.extent),
                             .offset = run.offset,
                             .length = run.length});
  }
}

std::span<const uint64_t> LengthsFor(const Image& image) {
  if (image.variant.runs.empty()) return {};
  return image.variant.lengths;
}

// What is answered at once with a document, which costs in proportion to what there is.
bool IsForDocument(const wire::RequestBody& body) {
  return std::holds_alternative<wire::ListRequest>(body) ||
         std::holds_alternative<wire::ShowRequest>(body) ||
         std::holds_alternative<wire::StatusRequest>(body) ||
         std::holds_alternative<wire::ControlRequest>(body) ||
         std::holds_alternative<wire::EventsRequest>(body);
}

}  // namespace

void Session::Dispatch(const wire::Request& request) {
  ++context_->counters.requests;
  const TimePoint began = context_->clock->Now();
  std::visit([&](const auto& body) { Serve(request.id, body); }, request.body);
  if (IsForDocument(request.body)) ChargeDocument(began);
}

void Session::Serve(uint64_t id, const wire::OpenRequest& request) {
  const TimePoint began = context_->clock->Now();
  if (const Status status = CheckMayLease(); !status.ok()) return ReplyError(id, status);
  const OpenParams params{.reference = request.reference,
                          .variant = request.variant,
                          .variant_key = request.variant_key,
                          .tier = request.tier,
                          .deadline = std::chrono::milliseconds(request.deadline_ms),
                          .runs = request.runs};
  const uint64_t token = next_token_++;
  // No wait outlives the session, and none calls back after it.
  Result<OpenOutcome> outcome = context_->manager->Open(params, [this, token](Result<Lease> lease) {
    const std::optional<Pending> waiting = TakePending(token);
    if (waiting) Answer(*waiting, std::move(lease));
  });
  const bool told = context_->events->wants_opens();
  const TimePoint found = told ? context_->clock->Now() : began;
  if (!outcome.ok()) {
    ReplyError(id, outcome.status());
    if (told) {
      TellOpen(OpenEnd::kFailed, {began, found, found},
               FailedOpen(params, request.traceparent, outcome.status()));
    }
    return RecordOpen(request.tier, OpenEnd::kFailed, began);
  }
  if (Lease* lease = std::get_if<Lease>(&*outcome)) {
    const std::string_view tier = lease->tier();
    std::optional<Event> open;
    if (told) open = AnsweredOpen(*lease, request.traceparent);
    ReplyOpen(id, std::move(*lease));
    if (open) TellOpen(OpenEnd::kHit, {began, found, found}, *std::move(open));
    return RecordOpen(tier, OpenEnd::kHit, began);
  }
  if (request.deadline_ms == 0) ReplyWaiting(id, std::get<OpenWait>(*outcome).deadline());
  const uint64_t load = std::get<OpenWait>(*outcome).load();
  Await({.token = token,
         .id = id,
         .wait = std::get<OpenWait>(*std::move(outcome)),
         .tells_progress = request.progress,
         .tier = std::string(request.tier),
         .reference = std::string(request.reference),
         .variant = request.variant,
         .began = began,
         .found = context_->clock->Now(),
         .load = load,
         .traceparent = std::string(request.traceparent)});
}

void Session::Await(Pending open) {
  ++context_->requests_in_flight;
  pending_.push_back(std::move(open));
  if (!pending_.back().tells_progress) return;
  ReplyLoad(pending_.back());
  ArmLoadTimer();
}

void Session::Answer(const Pending& open, Result<Lease> lease) {
  const OpenEnd end = !lease.ok()           ? OpenEnd::kFailed
                      : open.wait->joined() ? OpenEnd::kJoined
                                            : OpenEnd::kMiss;
  const std::string_view tier = lease.ok() ? lease->tier() : std::string_view(open.tier);
  std::optional<Event> event;
  if (context_->events->wants_opens()) event = EventOf(open, lease);
  const OpenTimes times{open.began, open.found, event ? context_->clock->Now() : open.found};
  ReplyOpen(open.id, std::move(lease));
  if (event) TellOpen(end, times, *std::move(event));
  RecordOpen(tier, end, open.began);
  UpdateInterest();  // a place among the requests in flight is free
}

Event Session::EventOf(const Pending& open, const Result<Lease>& lease) {
  if (lease.ok()) return AnsweredOpen(*lease, open.traceparent);
  Event event = FailedOpen({.reference = open.reference, .variant = open.variant}, open.traceparent,
                           lease.status());
  event.load = open.load;
  return event;
}

void Session::RecordOpen(std::string_view tier, OpenEnd end, TimePoint began) {
  context_->open_latencies.Record(tier, end, context_->clock->Now() - began);
}

void Session::Serve(uint64_t, const wire::CloseRequest& request) { leases_.erase(request.lease); }

// The end of a wait or a lease may have others answered, of this session too: it comes last.
void Session::Serve(uint64_t, const wire::CancelRequest& request) {
  const auto open = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& pending) {
    return (pending.wait || pending.events) && pending.id == request.request;
  });
  if (open != pending_.end()) {
    const Pending given_up = std::move(*open);
    pending_.erase(open);
    --context_->requests_in_flight;
    return;
  }
  // Its answer crossed with this. It is among the last, since no more requests can have been under way.
  size_t looked_at = 0;
  for (auto lease = leases_.rbegin();
       lease != leases_.rend() && looked_at < 2 * context_->limits.max_requests_in_flight;
       ++lease, ++looked_at) {
    if (lease->second.request != request.request) continue;
    const auto ended = leases_.extract(std::prev(lease.base()));
    return;
  }
}

Preparer::Progress Session::ProgressOf(uint64_t id) {
  return [weak = weak_from_this(), id](std::string_view stage, uint64_t done, uint64_t total) {
    if (const std::shared_ptr<Session> self = weak.lock()) {
      self->ReplyProgress(id, {.stage = stage, .done = done, .total = total});
    }
  };
}

void Session::Serve(uint64_t id, const wire::AddRequest& request) {
  context_->manager->Add(
      principal_, std::string(request.reference), std::string(request.source),
      {.prepare = {.variants = request.variants,
                   .precision = std::string(request.precision),
                   .onnxruntime_extensions = {request.onnxruntime_extensions.begin(),
                                              request.onnxruntime_extensions.end()},
                   .granularity = std::string(request.granularity)},
       .keep = {.versions = request.keep_versions,
                .for_at_least = std::chrono::seconds(request.keep_for_s)}},
      ProgressOf(id), WhenDone(id, ShowDocument));
}

void Session::Serve(uint64_t id, const wire::RemoveRequest& request) {
  context_->manager->Remove(principal_, std::string(request.reference),
                            WhenDone(id, RemovedDocument));
}

void Session::Serve(uint64_t id, const wire::ListRequest&) {
  if (!MayHaveDocument(id)) return;
  ReplyDocument(id, ListDocument(context_->manager->Models()));
}

void Session::Serve(uint64_t id, const wire::ShowRequest& request) {
  if (!MayHaveDocument(id)) return;
  const Result<ModelDetails> details = context_->manager->Model(std::string(request.reference));
  if (!details.ok()) return ReplyError(id, details.status());
  ReplyDocument(id, ShowDocument(*details));
}

void Session::Serve(uint64_t id, const wire::StatusRequest&) {
  if (!MayHaveDocument(id)) return;
  ReplyDocument(
      id, StatusDocument(context_->manager->Snapshot(context_->holders), context_->snapshot()));
}

void Session::Serve(uint64_t id, const wire::VerifyRequest& request) {
  context_->manager->Verify(
      principal_,
      {.reference = std::string(request.reference), .bytes_per_second = request.bytes_per_second},
      ProgressOf(id), WhenDone(id, VerifiedDocument));
}

void Session::Serve(uint64_t id, const wire::PushRequest& request) {
  context_->manager->Push(principal_, std::string(request.reference),
                          std::string(request.destination), ProgressOf(id),
                          WhenDone(id, PushedDocument));
}

void Session::Serve(uint64_t id, const wire::PolicyRequest& request) {
  if (!MayHaveDocument(id)) return;
  if (request.tier == "disk") return ServeDiskPolicy(id, request);
  const Result<TierSnapshot> tier =
      context_->manager->ChangePolicy(principal_, {.tier = request.tier,
                                                   .eviction = request.eviction,
                                                   .admission = request.admission,
                                                   .reclaim = request.reclaim,
                                                   .budget = request.budget,
                                                   .quota = request.quota});
  if (!tier.ok()) return ReplyError(id, tier.status());
  ReplyDocument(id, PolicyDocument(*tier));
}

void Session::ServeDiskPolicy(uint64_t id, const wire::PolicyRequest& request) {
  if (!request.eviction.empty() || !request.admission.empty() || !request.reclaim.empty() ||
      !request.quota.empty()) {
    return ReplyError(
        id, Status(StatusCode::kInvalidArgument, "the disk has a budget and no policy to choose",
                   "trims policy --tier disk --budget SIZE"));
  }
  const Result<DiskSnapshot> disk = context_->manager->ChangeDiskBudget(principal_, request.budget);
  if (!disk.ok()) return ReplyError(id, disk.status());
  ReplyDocument(id, DiskPolicyDocument(*disk));
}

uint64_t Session::LeasesOf(std::string_view tier, std::string_view key) const {
  if (key.empty()) return leases_.size();
  return static_cast<uint64_t>(
      std::count_if(leases_.begin(), leases_.end(), [&](const auto& numbered) {
        const Lease& lease = numbered.second.lease;
        return lease.Keeps(tier, key);
      }));
}

void Session::Serve(uint64_t id, const wire::ControlRequest& request) {
  if (!MayHaveDocument(id)) return;
  Manager& manager = *context_->manager;
  const ControlWishes wishes{.reference = std::string(request.reference),
                             .tier = std::string(request.tier),
                             .variants = request.variants,
                             .wait = request.wait,
                             .when_idle = request.when_idle,
                             .holders = context_->holders};
  const std::string alias(request.alias);
  switch (request.verb) {
    case wire::ControlVerb::kPin:
      return manager.Pin(principal_, wishes, ProgressOf(id), WhenDone(id, ControlledDocument));
    case wire::ControlVerb::kUnpin:
      return manager.Unpin(principal_, wishes, WhenDone(id, ControlledDocument));
    case wire::ControlVerb::kPrefetch:
      return manager.Prefetch(principal_, wishes, ProgressOf(id), WhenDone(id, ControlledDocument));
    case wire::ControlVerb::kEvict:
      return WhenDone(id, ControlledDocument)(manager.Evict(principal_, wishes));
    case wire::ControlVerb::kDemote:
      return manager.Demote(principal_, wishes, ProgressOf(id), WhenDone(id, ControlledDocument));
    case wire::ControlVerb::kKeepAlive:
      return manager.SetKeepAlive(principal_, wishes.reference, request.keep_alive,
                                  WhenDone(id, KeptAliveDocument));
    case wire::ControlVerb::kExplain:
      return WhenDone(id, ExplainedDocument)(manager.Explain(wishes));
    case wire::ControlVerb::kDrain:
      return Drain(id, /*on=*/true, request.wait);
    case wire::ControlVerb::kUndrain:
      return Drain(id, /*on=*/false, /*wait=*/false);
    case wire::ControlVerb::kListAliases:
      return ReplyDocument(id, AliasesDocument(manager.Aliases()));
    case wire::ControlVerb::kSetAlias:
      return manager.SetAlias(principal_, alias, wishes.reference, WhenDone(id, AliasDocument));
    case wire::ControlVerb::kDeleteAlias:
      return manager.DeleteAlias(principal_, alias, WhenDone(id, AliasDocument));
    case wire::ControlVerb::kRollback:
      return manager.Rollback(principal_, alias, WhenDone(id, AliasDocument));
  }
}

void Session::Drain(uint64_t id, bool on, bool wait) {
  const Result<DrainSnapshot> begun = context_->manager->Drain(principal_, on, context_->holders);
  if (!begun.ok() || !wait) return WhenDone(id, DrainDocument)(begun);
  context_->manager->AwaitQuiet(WhenDone(id, DrainDocument));
}

// What goes on when its caller has gone: the session may be no more when it is done.
template <typename Value>
std::function<void(Result<Value>)> Session::WhenDone(uint64_t id,
                                                     std::string (*document)(const Value&)) {
  return [weak = weak_from_this(), token = AddPending(id), document](const Result<Value>& value) {
    const std::shared_ptr<Session> self = weak.lock();
    if (self == nullptr) return;
    const std::optional<Pending> waiting = self->TakePending(token);
    if (!waiting) return;
    value.ok() ? self->ReplyDocument(waiting->id, document(*value))
               : self->ReplyError(waiting->id, value.status());
    self->UpdateInterest();  // a place among the requests in flight is free
  };
}

uint64_t Session::AddPending(uint64_t id) {
  ++context_->requests_in_flight;
  pending_.push_back({.token = next_token_, .id = id, .wait = {}});
  return next_token_++;
}

std::optional<Session::Pending> Session::TakePending(uint64_t token) {
  const auto found = std::find_if(pending_.begin(), pending_.end(),
                                  [&](const Pending& pending) { return pending.token == token; });
  if (found == pending_.end()) return std::nullopt;
  std::optional<Pending> taken = std::move(*found);
  pending_.erase(found);
  --context_->requests_in_flight;
  return taken;
}

void Session::ReplyOpen(uint64_t id, Result<Lease> lease) {
  if (ending_) return;
  if (!lease.ok()) return ReplyError(id, lease.status());
  lease->SetHolder(holder_);
  const uint64_t number = next_lease_++;
  const Lease& held =
      leases_
          .emplace(number,
                   Held{.lease = *std::move(lease), .request = id, .counted = Tally::One(tally_)})
          .first->second.lease;
  const Status sent = SendLease(id, number, held);
  if (sent.ok()) return;
  if (sent.code() == StatusCode::kUnavailable) return EndSoon();
  ++context_->counters.replies_failed;
  LogWarning("open.reply_failed", {{"error", sent}, {"reference", held.image().reference}});
  leases_.erase(number);
  ReplyError(
      id, Status(StatusCode::kResourceExhausted,
                 "the model is resident but its descriptors could not be sent: " + sent.message(),
                 "try again; if it stays so, raise the daemon's limit on open files"));
}

Status Session::SendLease(uint64_t id, uint64_t number, const Lease& lease) {
  const ResidentBytes& bytes = lease.bytes();
  const Image& image = lease.image();
  context_->fds.assign(1, bytes.index.fd.get());
  context_->extents.clear();
  context_->runs.clear();
  AddExtents(bytes, context_);
  if (!image.variant.runs.empty()) AddRuns(lease, context_);
  const wire::OpenReply reply{.lease = number,
                              .reference = image.reference,
                              .digest = image.digest,
                              .variant = image.kind,
                              .variant_key = image.variant_key,
                              .index_length = bytes.index.length,
                              .extents = context_->extents,
                              .hit = lease.opened().hit,
                              .waited_us = static_cast<uint64_t>(lease.opened().waited.count()),
                              .tier = lease.tier(),
                              .device = lease.device(),
                              .device_uuid = lease.device_uuid(),
                              .lengths = LengthsFor(image),
                              .runs = context_->runs};
  return outbox_.Send(context_->encoder.Open(id, reply), context_->fds);
}

void Session::ReplyDocument(uint64_t id, const std::string& document) {
  if (ending_) return;
  Result<SealedExtent> sealed =
      SealedCopy("trims-document", std::as_bytes(std::span<const char>(document)));
  if (!sealed.ok()) return ReplyError(id, sealed.status());
  largest_document_ = std::max(largest_document_, ExtentFootprint(sealed->length()));
  const int fd = sealed->read_only_fd();
  const std::span<const std::byte> frame =
      context_->encoder.Document(id, {.length = sealed->length()});
  const Status sent = outbox_.Send(frame, std::span<const int>(&fd, 1), *std::move(sealed));
  if (sent.code() == StatusCode::kUnavailable) return EndSoon();
  if (!sent.ok()) ReplyError(id, sent);
}

// Progress is for people who look on: one who does not keep up is told less of it.
void Session::ReplyProgress(uint64_t id, const wire::ProgressReply& reply) {
  if (ending_) return;
  if (!outbox_.Offer(context_->encoder.Progress(id, reply)).ok()) EndSoon();
}

void Session::ReplyLoad(const Pending& open) {
  const std::optional<LoadProgress> load = open.wait->progress();
  if (!load) return;
  ReplyProgress(open.id, {.stage = load->tier,
                          .done = load->bytes_done,
                          .total = load->bytes_total,
                          .bytes_per_second = load->bytes_per_second});
}

// Only once what was told before has been taken, so that a client that is busy with it finds the newest,
// and room in its socket for its other replies.
void Session::TellLoads() {
  const bool takes = UntakenBytes() == 0;
  for (const Pending& pending : pending_) {
    if (!pending.tells_progress) continue;
    if (takes) ReplyLoad(pending);
    ArmLoadTimer();
  }
}

void Session::ArmLoadTimer() {
  if (ending_ || load_timer_ != 0) return;
  load_timer_ = context_->loop->CallAfter(context_->limits.progress_every, [this] {
    load_timer_ = 0;
    TellLoads();
  });
}

// Who is not told, because replies before it are unread, waits as long as for a daemon that hangs.
void Session::ReplyWaiting(uint64_t id, std::chrono::milliseconds deadline) {
  if (ending_ || !outbox_.empty()) return;
  const auto told = std::min<int64_t>(deadline.count(), UINT32_MAX);
  const wire::WaitingReply reply{.deadline_ms = static_cast<uint32_t>(told)};
  if (!outbox_.Send(context_->encoder.Waiting(id, reply), {}).ok()) EndSoon();
}

void Session::ReplyError(uint64_t id, const Status& status) {
  if (ending_) return;
  const Status sent = outbox_.Send(context_->encoder.Error(id, status), {});
  if (!sent.ok()) EndSoon();
}

}  // namespace trims
