// Server: the daemon's side of the socket. It accepts connections within limits, keeps their
// sessions, and knows when nobody needs the daemon any more.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto server,
//                          Server::Start(options, {&loop, &manager}, std::move(listening)));
//   loop.Run();  // requests are served
//   server->Stop();
//
// Ownership: loop and manager outlive it; every lease has ended once Stop() returns.
// Thread-safety: loop only.
#ifndef TRIMS_SERVER_SERVER_H_
#define TRIMS_SERVER_SERVER_H_

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trims/status.h"

#include "base/clock.h"
#include "base/log_throttle.h"
#include "base/unique_fd.h"
#include "loop/event_loop.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/server_snapshot.h"
#include "server/session.h"

namespace trims {

struct ServerOptions {
  ServerLimits limits;
  // Zero: never. Otherwise on_idle is called once there has been no connection, lease, load or
  // preparation for so long.
  Duration idle_exit{0};
  std::function<void()> on_idle;
  // Shown in the status document.
  std::string version;
  std::string socket_path;
  std::string data_folder;
  std::string read_engine;
  std::string keeper;
  std::string pressure_file;
};

struct ServerDependencies {
  EventLoop* loop = nullptr;
  Manager* manager = nullptr;
};

class Server {
 public:
  // `listening` is non-blocking.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options,
                                               const ServerDependencies& dependencies,
                                               UniqueFd listening);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Accepts nothing more, answers what waits with UNAVAILABLE and ends every connection.
  // Idempotent.
  void Stop();

  // Whether nobody is there, the backlog included: what is in it is accepted by asking.
  bool Idle();

  size_t connections() const { return sessions_.size(); }
  ServerSnapshot Snapshot() const;
  const ServerCounters& counters() const { return context_.counters; }

 private:
  static constexpr uint64_t kViolationsLoggedASecond = 10;

  // Connections that have sent nothing yet, oldest first.
  struct HalfOpen {
    uint64_t session;
    TimePoint since;
  };

  Server(ServerOptions options, const ServerDependencies& dependencies, UniqueFd listening);

  std::vector<LeaseHolder> HoldersOf(std::string_view tier, std::string_view key) const;
  void Accept(UniqueFd socket);
  void Refuse(UniqueFd socket, const Status& why);
  Status Admit(const wire::Principal& principal) const;
  std::shared_ptr<Tally> LeasesOfUser(uint64_t uid);
  void OnFirstFrame(uint64_t session);
  void OnEnd(uint64_t session);
  void ForgetHalfOpen(uint64_t session);
  void WaitForHalfOpen();
  void DropHalfOpen();
  void WaitForIdle();
  bool MayLogViolation();
  void TellSuppressed();

  const ServerOptions options_;
  EventLoop* const loop_;
  Manager* const manager_;
  const SteadyClock clock_;
  const TimePoint started_;
  LogThrottle violations_{&clock_, kViolationsLoggedASecond};
  SessionContext context_;
  std::unordered_map<uint64_t, std::shared_ptr<Session>> sessions_;
  std::unordered_map<uid_t, size_t> connections_of_uid_;
  std::unordered_map<uint64_t, std::weak_ptr<Tally>> leases_of_uid_;
  std::list<HalfOpen> half_open_;
  std::unordered_map<uint64_t, std::list<HalfOpen>::iterator> half_open_of_;
  uint64_t half_open_timer_ = 0;
  uint64_t idle_timer_ = 0;
  uint64_t suppressed_timer_ = 0;
  uint64_t next_session_ = 1;
  bool stopped_ = false;
  Listener listener_;
};

}  // namespace trims

#endif  // TRIMS_SERVER_SERVER_H_
