#include "tools/http/options.h"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <ostream>

#include <CLI/CLI.hpp>

#include "trims/client.h"

namespace trims::http {
namespace {

constexpr char kAbout[] =
    "trims-http serves what the trims daemon knows over HTTP: JSON, metrics for Prometheus, a "
    "dashboard.\n";
constexpr char kFooter[] =
    "A line of the configuration file is a flag without its dashes: listen=\"127.0.0.1:9090\". "
    "Flags win.\nManual: man trims-http, docs/http.md";
constexpr char kName[] = "trims-http.sock";

mode_t ModeOf(const std::string& text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error == std::errc() && end == text.data() + text.size() && mode <= 0777) return mode;
  throw CLI::ValidationError("--http-socket-mode",
                             "'" + text + "' is no mode: expected octal digits, such as 0660");
}

void AddPlaces(CLI::App* app, HttpOptions* options) {
  app->add_option("--socket", options->socket, "The daemon's socket [where clients look]")
      ->type_name("PATH");
  app->add_option("--http-socket", options->http_socket,
                  "Unix socket to serve [trims-http.sock beside the daemon's]")
      ->type_name("PATH");
  app->add_option_function<std::string>(
         "--http-socket-mode",
         [options](const std::string& text) { options->http_socket_mode = ModeOf(text); },
         "Mode of that socket, octal: who may ask [0600]")
      ->type_name("OCTAL");
  CLI::Option* listen =
      app->add_option("--listen", options->listen,
                      "Serve an address of TCP, too: 127.0.0.1:9090. Needs --token-file [off]")
          ->type_name("ADDRESS:PORT");
  CLI::Option* token = app->add_option("--token-file", options->token_file,
                                       "File with the token that is asked for over TCP")
                           ->type_name("FILE");
  listen->needs(token);
  app->add_option("--host", options->hosts,
                  "A name, with or without a port, that this server is asked by, beside localhost")
      ->type_name("NAME")
      ->take_all();
}

void AddRunning(CLI::App* app, HttpOptions* options) {
  app->add_flag("--read-only", options->read_only, "Refuse what changes something");
  app->add_option("--daemon-timeout", options->daemon_timeout_seconds,
                  "Seconds that the daemon may take for an answer [5]")
      ->type_name("SECONDS")
      ->check(CLI::Range(1, 300).description(""));
  app->add_option("--ready-fd", options->ready_fd,
                  "Descriptor that one byte is written to once it serves")
      ->type_name("N")
      ->check(CLI::Range(0, 1 << 30).description(""));
  app->add_option_function<std::string>(
         "--log-level",
         [options](const std::string& text) {
           const Result<LogLevel> level = ParseLogLevel(text);
           if (!level.ok()) throw CLI::ValidationError("--log-level", level.status().ToString());
           options->log_level = *level;
         },
         "debug, info, warning, error or off [info]")
      ->type_name("NAME");
  app->set_version_flag("--version", std::string("trims-http ") + TRIMS_VERSION);
  app->set_config("--config", "", "Read options from a file");
  app->allow_config_extras(CLI::config_extras_mode::error);
}

std::string BesideSocket(const std::string& socket) {
  const size_t slash = socket.rfind('/');
  return slash == std::string::npos ? kName : socket.substr(0, slash + 1) + kName;
}

}  // namespace

std::string DefaultHttpSocket(const std::string& daemon_socket) {
  if (!daemon_socket.empty()) return BesideSocket(daemon_socket);
  if (const char* named = std::getenv("TRIMS_SOCKET"); named != nullptr && *named != '\0')
    return BesideSocket(named);
  const std::string system = SystemSocketPath();
  const bool there = ::access(UserSocketPath().c_str(), F_OK) != 0 &&
                     ::access(system.c_str(), F_OK) == 0 && ::geteuid() == 0;
  return BesideSocket(there ? system : UserSocketPath());
}

ParsedOptions ParseOptions(int argc, const char* const* argv, std::ostream& out,
                           std::ostream& err) {
  ParsedOptions parsed;
  CLI::App app(kAbout, "trims-http");
  app.footer(kFooter);
  AddPlaces(&app, &parsed.options);
  AddRunning(&app, &parsed.options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool is_answer = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    if (is_answer) app.exit(error, out, err);
    if (!is_answer) err << "trims-http: " << error.what() << " (try: trims-http --help)\n";
    parsed.exit_code = is_answer ? 0 : kExitUsage;
  } catch (const std::exception& error) {
    err << "trims-http: " << error.what() << " (try: trims-http --help)\n";
    parsed.exit_code = kExitUsage;
  }
  return parsed;
}

}  // namespace trims::http
