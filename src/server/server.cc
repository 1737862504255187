#include "server/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/macros.h"
#include "ingest/check_operator.h"
#include "wire/principal.h"
#include "wire/protocol.h"

namespace trims {
namespace {

Status TooMany(const char* whose, size_t limit) {
  return Status(
      StatusCode::kQuotaExceeded,
      std::string(whose) + " " + std::to_string(limit) + " connections, as many as allowed",
      "close connections, or raise trimsd's --max-connections or --max-connections-per-uid");
}

std::vector<OpenLatencies::Tier> TiersOf(const Manager& manager) {
  std::vector<OpenLatencies::Tier> tiers;
  for (TierSnapshot& tier : manager.Snapshot().tiers)
    tiers.push_back({.name = std::move(tier.name), .device = std::move(tier.device)});
  return tiers;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options,
                                              const ServerDependencies& dependencies,
                                              UniqueFd listening) {
  std::unique_ptr<Server> server(
      new Server(std::move(options), dependencies, std::move(listening)));
  TRIMS_RETURN_IF_ERROR(server->listener_.Start());
  server->WaitForIdle();
  return server;
}

Server::Server(ServerOptions options, const ServerDependencies& dependencies, UniqueFd listening)
    : options_(std::move(options)),
      loop_(dependencies.loop),
      manager_(dependencies.manager),
      started_(clock_.Now()),
      listener_(dependencies.loop, std::move(listening),
                {.accepted = [this](UniqueFd socket) { Accept(std::move(socket)); },
                 .refused = [this](UniqueFd socket,
                                   const Status& why) { Refuse(std::move(socket), why); },
                 .may_log = [this] { return MayLogViolation(); }}) {
  context_.loop = loop_;
  context_.manager = manager_;
  context_.events = &manager_->events();
  context_.clock = &clock_;
  context_.open_latencies = OpenLatencies(TiersOf(*manager_));
  context_.limits = options_.limits;
  context_.snapshot = [this] { return Snapshot(); };
  context_.holders = [this](std::string_view tier, std::string_view key) {
    return HoldersOf(tier, key);
  };
  context_.on_first_frame = [this](uint64_t session) { OnFirstFrame(session); };
  context_.may_log_violation = [this] { return MayLogViolation(); };
  context_.on_end = [this](uint64_t session) { OnEnd(session); };
}

Server::~Server() { Stop(); }

void Server::Stop() {
  if (std::exchange(stopped_, true)) return;
  listener_.Stop();
  loop_->Cancel(half_open_timer_);
  loop_->Cancel(idle_timer_);
  const Status why(StatusCode::kUnavailable, "the daemon is stopping", "try again in a moment");
  while (!sessions_.empty()) {
    const std::shared_ptr<Session> session = sessions_.begin()->second;
    session->Stop(why);
  }
  loop_->Cancel(suppressed_timer_);
  TellSuppressed();
}

bool Server::Idle() {
  while (listener_.AcceptWaiting()) {
  }
  return sessions_.empty() && manager_->Idle();
}

void Server::Accept(UniqueFd socket) {
  const Result<wire::Principal> principal = wire::PeerOf(socket.get());
  if (!principal.ok()) return Refuse(std::move(socket), principal.status());
  if (const Status admitted = Admit(*principal); !admitted.ok()) {
    return Refuse(std::move(socket), admitted);
  }
  const uint64_t id = next_session_++;
  const auto session = std::make_shared<Session>(&context_, id, std::move(socket), *principal,
                                                 LeasesOfUser(principal->uid));
  sessions_.emplace(id, session);
  ++connections_of_uid_[principal->uid];
  half_open_of_[id] = half_open_.insert(half_open_.end(), {.session = id, .since = clock_.Now()});
  if (!session->Start().ok()) return session->End();
  ++context_.counters.accepted;
  WaitForHalfOpen();
}

std::shared_ptr<Tally> Server::LeasesOfUser(uint64_t uid) {
  std::erase_if(leases_of_uid_, [](const auto& each) { return each.second.expired(); });
  std::weak_ptr<Tally>& kept = leases_of_uid_[uid];
  std::shared_ptr<Tally> tally = kept.lock();
  if (tally == nullptr) kept = tally = std::make_shared<Tally>();
  return tally;
}

Status Server::Admit(const wire::Principal& principal) const {
  const size_t most = options_.limits.max_connections;
  const size_t kept = std::min(options_.limits.connections_for_operators, most / 8);
  if (sessions_.size() >= most - (CheckOperator(principal).ok() ? 0 : kept)) {
    return TooMany("there are", sessions_.size());
  }
  const auto of_uid = connections_of_uid_.find(principal.uid);
  if (of_uid != connections_of_uid_.end() &&
      of_uid->second >= options_.limits.max_connections_per_uid) {
    return TooMany("this user has", options_.limits.max_connections_per_uid);
  }
  return Status();
}

void Server::Refuse(UniqueFd socket, const Status& why) {
  ++context_.counters.refused;
  LogDebug("connection.refused", {{"error", why}});
  static_cast<void>(wire::SendFrame(socket.get(), context_.encoder.Error(0, why), {}));
  char byte;  // unread frames would make the peer's next call fail before it sees the reply
  static_cast<void>(::recv(socket.get(), &byte, sizeof byte, MSG_DONTWAIT | MSG_TRUNC));
}

void Server::OnFirstFrame(uint64_t session) { ForgetHalfOpen(session); }

void Server::OnEnd(uint64_t session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  const auto of_uid = connections_of_uid_.find(found->second->principal().uid);
  if (of_uid != connections_of_uid_.end() && --of_uid->second == 0)
    connections_of_uid_.erase(of_uid);
  ForgetHalfOpen(session);
  sessions_.erase(found);
  WaitForIdle();
}

void Server::ForgetHalfOpen(uint64_t session) {
  const auto found = half_open_of_.find(session);
  if (found == half_open_of_.end()) return;
  half_open_.erase(found->second);
  half_open_of_.erase(found);
}

// One timer for all of them: their deadlines are in the order of their arrival.
void Server::WaitForHalfOpen() {
  if (half_open_timer_ != 0 || half_open_.empty() || stopped_) return;
  const TimePoint due = half_open_.front().since + options_.limits.first_frame_deadline;
  half_open_timer_ = loop_->CallAfter(due - clock_.Now(), [this] {
    half_open_timer_ = 0;
    DropHalfOpen();
    WaitForHalfOpen();
  });
}

void Server::DropHalfOpen() {
  const TimePoint now = clock_.Now();
  while (!half_open_.empty() &&
         half_open_.front().since + options_.limits.first_frame_deadline <= now) {
    const std::shared_ptr<Session> session = sessions_.at(half_open_.front().session);
    ++context_.counters.dropped_silent;
    LogInfo("connection.silent",
            {{"uid", session->principal().uid}, {"pid", session->principal().pid}});
    session->End();
  }
}

void Server::WaitForIdle() {
  if (options_.idle_exit <= Duration::zero() || !sessions_.empty() || stopped_) return;
  loop_->Cancel(idle_timer_);
  idle_timer_ = loop_->CallAfter(options_.idle_exit, [this] {
    if (Idle()) return options_.on_idle();
    WaitForIdle();  // something goes on without a connection; a connection's end waits anew
  });
}

// Looks at every lease: for messages, not for opens.
std::vector<LeaseHolder> Server::HoldersOf(std::string_view tier, std::string_view key) const {
  std::vector<LeaseHolder> holders;
  for (const auto& [id, session] : sessions_) {
    const uint64_t leases = session->LeasesOf(tier, key);
    if (leases == 0) continue;
    holders.push_back({.client = session->client(),
                       .uid = session->principal().uid,
                       .pid = session->principal().pid,
                       .leases = leases});
  }
  std::sort(holders.begin(), holders.end(),
            [](const LeaseHolder& a, const LeaseHolder& b) { return a.pid < b.pid; });
  return holders;
}

// Whoever may connect can cause these lines as fast as it can connect.
bool Server::MayLogViolation() {
  if (violations_.Admit()) return true;
  if (suppressed_timer_ == 0) {
    suppressed_timer_ = loop_->CallAfter(std::chrono::seconds(1), [this] {
      suppressed_timer_ = 0;
      TellSuppressed();
    });
  }
  return false;
}

void Server::TellSuppressed() {
  const uint64_t count = violations_.TakeSuppressed();
  if (count > 0) LogWarning("connection.violations_suppressed", {{"count", count}});
}

ServerSnapshot Server::Snapshot() const {
  return {.version = options_.version,
          .socket_path = options_.socket_path,
          .data_folder = options_.data_folder,
          .read_engine = options_.read_engine,
          .keeper = options_.keeper,
          .pressure_file = options_.pressure_file,
          .uptime = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.Now() - started_),
          .connections = sessions_.size(),
          .max_connections = options_.limits.max_connections,
          .max_connections_per_uid = options_.limits.max_connections_per_uid,
          .requests_in_flight = context_.requests_in_flight,
          .counters = context_.counters,
          .open_latencies = context_.open_latencies};
}

}  // namespace trims
