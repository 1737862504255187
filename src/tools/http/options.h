// HttpOptions: what trims-http was told, by flags and by its configuration file.
//
//   ParsedOptions parsed = ParseOptions(argc, argv, std::cout, std::cerr);
//   if (parsed.exit_code.has_value()) return *parsed.exit_code;  // --help, --version, a usage error
//
// docs/http.md explains every option. Thread-safety: values.
#ifndef TRIMS_TOOLS_HTTP_OPTIONS_H_
#define TRIMS_TOOLS_HTTP_OPTIONS_H_

#include <sys/types.h>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"

namespace trims::http {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

struct HttpOptions {
  std::string socket;       // of the daemon; empty: where clients look
  std::string http_socket;  // to serve; empty: beside the daemon's, unless `listen` is given
  mode_t http_socket_mode = 0600;
  std::string listen;  // empty: no TCP
  std::string token_file;
  std::vector<std::string> hosts;
  bool read_only = false;
  int daemon_timeout_seconds = 5;
  int ready_fd = -1;
  LogLevel log_level = LogLevel::kInfo;
};

struct ParsedOptions {
  std::optional<int> exit_code;
  HttpOptions options;
};

ParsedOptions ParseOptions(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

// Where to serve if nobody said: trims-http.sock in the folder of the daemon's socket.
std::string DefaultHttpSocket(const std::string& daemon_socket);

}  // namespace trims::http

#endif  // TRIMS_TOOLS_HTTP_OPTIONS_H_
