#include "client/socket_path.h"

#include <unistd.h>

#include <cstdlib>

#include "trims/client.h"

#include "base/shell_quote.h"

namespace trims {

std::string UserSocketPath() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + "/trims/trimsd.sock";
  return "/tmp/trims-" + std::to_string(::geteuid()) + "/trimsd.sock";
}

std::string SystemSocketPath() { return "/run/trims/trimsd.sock"; }

namespace client {

std::vector<SocketCandidate> SocketCandidates(const std::string& configured) {
  using wire::PathOrigin;
  if (!configured.empty()) return {{configured, PathOrigin::kConfigured}};
  const char* variable = std::getenv("TRIMS_SOCKET");
  if (variable != nullptr && variable[0] != '\0') return {{variable, PathOrigin::kConfigured}};
  // The system's folder is root's to make, as what a container mounts there is its maker's.
  return {{UserSocketPath(), PathOrigin::kGuessed}, {SystemSocketPath(), PathOrigin::kConfigured}};
}

std::string HowToStart(const std::string& named) {
  return "start one: trimsd " + (named.empty() ? "" : "--socket " + ShellQuote(named) + " ") + "&";
}

}  // namespace client
}  // namespace trims
