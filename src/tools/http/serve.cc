#include "tools/http/serve.h"

#include <chrono>
#include <utility>

#include "admin/token.h"
#include "base/log.h"
#include "base/macros.h"

namespace trims::http {
namespace {

// A document takes the daemon milliseconds; two threads are for one that hangs.
constexpr size_t kQuickThreads = 2;
constexpr size_t kQuickQueue = 32;
// Loads take seconds, and the daemon loads two at a time.
constexpr size_t kSlowThreads = 2;
constexpr size_t kSlowQueue = 8;
// Each listens for one who reads /v1/events.
constexpr size_t kStreams = 8;

}  // namespace

Result<std::unique_ptr<Serving>> Serving::Start(const HttpOptions& options) {
  std::unique_ptr<Serving> serving(new Serving(options));
  TRIMS_RETURN_IF_ERROR(serving->StartPools());
  const bool tcp = !options.listen.empty();
  if (!tcp || !options.http_socket.empty()) TRIMS_RETURN_IF_ERROR(serving->ServeUnix());
  if (tcp) TRIMS_RETURN_IF_ERROR(serving->ServeTcp());
  return serving;
}

Status Serving::StartPools() {
  const auto link = [this] {
    return admin::MakeDaemonLink(
        {.socket_path = options_.socket,
         .patience = std::chrono::seconds(options_.daemon_timeout_seconds)});
  };
  TRIMS_ASSIGN_OR_RETURN(
      quick_,
      admin::JobPool::Start({.threads = kQuickThreads, .queue = kQuickQueue, .link = link}));
  TRIMS_ASSIGN_OR_RETURN(
      slow_, admin::JobPool::Start({.threads = kSlowThreads, .queue = kSlowQueue, .link = link}));
  TRIMS_ASSIGN_OR_RETURN(streams_,
                         admin::JobPool::Start({.threads = kStreams, .queue = 0, .link = link}));
  return Status();
}

Status Serving::ServeUnix() {
  const std::string path =
      options_.http_socket.empty() ? DefaultHttpSocket(options_.socket) : options_.http_socket;
  TRIMS_ASSIGN_OR_RETURN(admin::UnixListener listener,
                         admin::UnixListener::At(path, options_.http_socket_mode));
  unix_listener_.emplace(std::move(listener));
  unix_gate_.emplace(admin::GateOptions{
      .token = std::nullopt, .hosts = options_.hosts, .read_only = options_.read_only});
  TRIMS_RETURN_IF_ERROR(Serve(unix_listener_->TakeSocket(), &*unix_gate_));
  LogInfo("http.serving", {{"socket", path}, {"read_only", options_.read_only}});
  return Status();
}

Status Serving::ServeTcp() {
  TRIMS_ASSIGN_OR_RETURN(admin::Token token, admin::Token::FromFile(options_.token_file));
  TRIMS_ASSIGN_OR_RETURN(admin::TcpListener listener, admin::ListenOnTcp(options_.listen));
  tcp_gate_.emplace(admin::GateOptions{
      .token = std::move(token), .hosts = options_.hosts, .read_only = options_.read_only});
  TRIMS_RETURN_IF_ERROR(Serve(std::move(listener.socket), &*tcp_gate_));
  LogInfo("http.serving", {{"address", listener.address}, {"read_only", options_.read_only}});
  if (!listener.loopback) {
    LogWarning("http.plain", {{"address", listener.address},
                              {"advice",
                               "the token goes over the network as it is: put a server with TLS "
                               "before this one, which listens on 127.0.0.1"}});
  }
  return Status();
}

Status Serving::Serve(UniqueFd socket, const admin::Gate* gate) {
  TRIMS_ASSIGN_OR_RETURN(
      std::unique_ptr<admin::HttpServer> server,
      admin::HttpServer::Start(
          std::move(socket),
          {.gate = gate, .quick = quick_.get(), .slow = slow_.get(), .streams = streams_.get()}));
  servers_.push_back(std::move(server));
  return Status();
}

}  // namespace trims::http
