#include "tools/trims/daemon.h"

#include <unistd.h>

#include <string_view>

#include "base/program.h"
#include "client/autostart.h"

namespace trims::cli {
namespace {

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// What is missing where a daemon was to be started is a missing daemon, which scripts tell from a
// missing model by the exit code.
Status DaemonStatus(const Status& status) {
  if (status.code() != StatusCode::kNotFound && status.code() != StatusCode::kUnavailable)
    return status;
  return Status(StatusCode::kUnavailable, status.message(),
                status.hint().empty() ? "trims doctor" : status.hint());
}

Result<std::string> FindOrStart(const Globals& globals) {
  if (!AutostartAllowed(globals)) return globals.socket;
  AutostartOptions options;
  options.program = FindDaemonProgram();  // empty: the error of EnsureDaemon() says where it looked
  return EnsureDaemon(options);
}

}  // namespace

bool AutostartAllowed(const Globals& globals) {
  return !globals.no_autostart && globals.socket.empty() &&
         EnvironmentVariable("TRIMS_SOCKET").empty() &&
         EnvironmentVariable("TRIMS_AUTOSTART") != "0";
}

std::string SocketInUse(const Globals& globals) {
  if (!globals.socket.empty()) return globals.socket;
  if (std::string socket = EnvironmentVariable("TRIMS_SOCKET"); !socket.empty()) return socket;
  if (Exists(UserSocketPath()) || !Exists(SystemSocketPath())) return UserSocketPath();
  return SystemSocketPath();
}

std::string FindDaemonProgram() {
  if (std::string named = EnvironmentVariable("TRIMSD"); !named.empty()) return named;
  const std::string own = OwnFolder();
  // Installed side by side, or as the build leaves them.
  return FindProgram("trimsd", {own, own + "/../trimsd"});
}

Result<Admin> ConnectToDaemon(const Context& context) {
  const Result<std::string> socket = FindOrStart(context.globals);
  if (!socket.ok()) return DaemonStatus(socket.status());
  Result<Admin> admin = Admin::Connect({.socket_path = *socket, .client_name = "trims"});
  if (!admin.ok()) return DaemonStatus(admin.status());
  return admin;
}

}  // namespace trims::cli
