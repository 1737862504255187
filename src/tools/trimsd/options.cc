#include "tools/trimsd/options.h"

#include <charconv>
#include <map>
#include <ostream>

#include <CLI/CLI.hpp>

#include "base/byte_size.h"
#include "base/duration_text.h"
#include "device/open_device.h"

namespace trims::daemon {
namespace {

constexpr char kAbout[] =
    "trimsd keeps one copy of each model on this machine and shares it, read-only, with every "
    "process that opens it.\n";
constexpr char kFooter[] =
    "A line of the configuration file is a flag without its dashes: host-budget=\"8GiB\". Flags "
    "win.\nManual: man trimsd, docs/operations.md";

template <typename T>
const std::map<std::string, T>& Names();

template <>
const std::map<std::string, HugePagePolicy>& Names() {
  static const auto& names =
      *new std::map<std::string, HugePagePolicy>{{"best", HugePagePolicy::kBest},
                                                 {"no-hugetlb", HugePagePolicy::kNoHugeTlb},
                                                 {"small", HugePagePolicy::kSmall}};
  return names;
}

template <>
const std::map<std::string, ReadEngineChoice>& Names() {
  static const auto& names =
      *new std::map<std::string, ReadEngineChoice>{{"auto", ReadEngineChoice::kAuto},
                                                   {"uring", ReadEngineChoice::kUring},
                                                   {"pread", ReadEngineChoice::kPread}};
  return names;
}

template <>
const std::map<std::string, KeeperChoice>& Names() {
  static const auto& names =
      *new std::map<std::string, KeeperChoice>{{"auto", KeeperChoice::kAuto},
                                               {"process", KeeperChoice::kProcess},
                                               {"off", KeeperChoice::kOff}};
  return names;
}

template <typename T>
void AddNamed(CLI::App* app, const std::string& flag, T* value, const std::string& initial,
              const std::string& choices, const std::string& help) {
  app->add_option(flag, *value, help + ": " + choices + " [" + initial + "]")
      ->type_name("NAME")
      ->transform(CLI::CheckedTransformer(Names<T>()).description(""));
}

// Of whatever a function makes a value of; what it says of another text is the error.
template <typename T, typename Parse>
void AddParsed(CLI::App* app, const std::string& flag, Parse parse, T* value,
               const std::string& type, const std::string& help) {
  app->add_option_function<std::string>(
         flag,
         [flag, parse, value](const std::string& text) {
           const Result<T> parsed = parse(text);
           if (!parsed.ok()) throw CLI::ValidationError(flag, parsed.status().ToString());
           *value = *parsed;
         },
         help)
      ->type_name(type);
}

void AddDuration(CLI::App* app, const std::string& flag, std::chrono::milliseconds* value,
                 const std::string& help) {
  AddParsed(app, flag, ParseDuration, value, "DURATION", help);
}

mode_t SocketMode(const std::string& text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error == std::errc() && end == text.data() + text.size() && mode <= 0777) return mode;
  throw CLI::ValidationError("--socket-mode",
                             "'" + text + "' is no mode: expected octal digits, such as 0660");
}

void AddPlaces(CLI::App* app, DaemonOptions* options) {
  app->add_flag("--system", options->system,
                "Serve the whole machine: /run/trims/trimsd.sock and /var/lib/trims (needs root)");
  app->add_option("--socket", options->socket, "Socket to serve [this user's]")->type_name("PATH");
  app->add_option("--data", options->data, "Folder of the catalog and the prepared models")
      ->type_name("DIR");
  app->add_option_function<std::string>(
         "--socket-mode",
         [options](const std::string& text) { options->socket_mode = SocketMode(text); },
         "Mode of the socket, octal: who may connect [0600]")
      ->type_name("OCTAL");
  app->add_option("--preparer", options->preparer, "The trims-prepare to run for `trims add`")
      ->type_name("PATH");
  app->add_option("--onnxruntime-library", options->onnxruntime_library,
                  "The libonnxruntime.so that trims-prepare loads")
      ->type_name("PATH");
}

// Of what memory a share is one is asked when it is there.
std::string ByteSizeText(const std::string& flag, const std::string& text) {
  constexpr uint64_t kAnyMemory = uint64_t{1} << 40;
  const Result<uint64_t> parsed = ParseByteSize(text, kAnyMemory);
  if (!parsed.ok()) {
    const std::string expected = parsed.status().hint();
    throw CLI::ValidationError(
        flag, parsed.status().message() + (expected.empty() ? "" : ": " + expected));
  }
  if (*parsed == 0) throw CLI::ValidationError(flag, "a budget of 0 bytes holds no model");
  return text;
}

// What `policy` points to is the default.
template <typename Policy>
void AddPolicy(CLI::App* app, const std::string& flag,
               Result<const Policy*> (*find)(std::string_view), const Policy** policy,
               const std::string& what) {
  AddParsed(app, flag, find, policy, "NAME", what + " [" + std::string((*policy)->name) + "]");
}

void AddPressure(CLI::App* app, DaemonOptions* options) {
  app->add_option_function<std::string>(
         "--pressure",
         [options](const std::string& text) {
           if (text != "off" && text != "auto" && !text.starts_with("/"))
             throw CLI::ValidationError("--pressure",
                                        "'" + text + "': expected off, auto or an absolute path");
           options->pressure = text;
         },
         "Let models that nobody uses go while the machine is short of memory: off, auto, or the "
         "file that tells of it [off]")
      ->type_name("NAME|PATH");
  app->add_option_function<std::string>(
         "--pressure-floor",
         [options](const std::string& text) {
           const Result<uint64_t> parsed = ParseByteSize(text, uint64_t{1} << 40);
           if (!parsed.ok())
             throw CLI::ValidationError("--pressure-floor", parsed.status().ToString());
           options->pressure_floor = text;
         },
         "What models keep of the memory then: 2GiB, 25% of the budget [0]")
      ->type_name("SIZE|N%");
}

void AddFairness(CLI::App* app, DaemonOptions* options) {
  app->add_option_function<std::vector<std::string>>(
         "--quota",
         [options](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             const Result<NamedQuota> quota = ParseQuota(text);
             if (!quota.ok()) throw CLI::ValidationError("--quota", quota.status().ToString());
             if (!options->quotas.emplace(quota->name, quota->quota).second)
               throw CLI::ValidationError("--quota", "'" + quota->name + "' has two quotas");
           }
         },
         "What a namespace may take of each tier, as often as there are some; '*' is each other "
         "one: team-a:bytes=8GiB,leases=100,loads=4,loads-per-minute=60,guaranteed=2GiB [none]")
      ->type_name("NAMESPACE:LIMITS")
      ->allow_extra_args(false)
      ->take_all();
  AddDuration(app, "--churn-guard", &options->churn_guard,
              "Refuse a load rather than let go of what was used so recently [off]");
}

void AddMemory(CLI::App* app, DaemonOptions* options) {
  app->add_option_function<std::string>(
         "--host-budget",
         [options](const std::string& text) {
           options->host_budget = ByteSizeText("--host-budget", text);
         },
         "What models may take of the memory: 8GiB, 500MB, 50% [50%]")
      ->type_name("SIZE|N%");
  app->add_option_function<std::string>(
         "--disk-budget",
         [options](const std::string& text) {
           options->disk_budget = ByteSizeText("--disk-budget", text);
         },
         "What prepared models may take of the disk: 500GB, 60%; where it is used up, copies of "
         "models that were pushed elsewhere go [no limit]")
      ->type_name("SIZE|N%");
  AddParsed(app, "--reclaim", ParseReclaim, &options->policy.reclaim, "WHEN",
            "When a model that nobody uses goes: eager, lazy, or after how long: 10m [lazy]");
  AddPolicy(app, "--eviction", FindEvictionPolicy, &options->policy.eviction,
            "Which model goes for another: " + EvictionPolicyNames());
  AddPolicy(app, "--admission", FindAdmissionPolicy, &options->policy.admission,
            "Which newcomer may push others out for long: " + AdmissionPolicyNames());
  AddPressure(app, options);
  AddFairness(app, options);
  AddParsed(app, "--granularity", GranularityFromName, &options->granularity, "NAME",
            "In which units models that are added share their bytes with others of their "
            "namespace: model, block, layer [model]");
  AddNamed(app, "--huge-pages", &options->huge_pages, "best", "best, no-hugetlb, small",
           "Pages to ask for");
  AddNamed(app, "--read-engine", &options->read_engine, "auto", "auto, uring, pread",
           "How models are read from disk");
  app->add_option("--preload", options->preload,
                  "A model to load at the start; again for more, in the file a list")
      ->type_name("REF")
      ->allow_extra_args(false);
  app->add_option("--loader-threads", options->loader_threads, "Models that load at once [2]")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""));
}

void AddDevices(CLI::App* app, DaemonOptions* options) {
  app->add_option_function<std::vector<std::string>>(
         "--device",
         [options](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             const Status status = ParseDevice(text).status();
             if (!status.ok()) throw CLI::ValidationError("--device", status.ToString());
           }
           options->devices = texts;
         },
         "A device whose memory is a tier, as often as there are some: cuda:0, or simulated: "
         "sim:0,capacity=8GiB,link=12GB [none]")
      ->type_name("DEVICE")
      ->take_all();
  app->add_option_function<std::string>(
         "--device-budget",
         [options](const std::string& text) {
           options->device_budget = ByteSizeText("--device-budget", text);
         },
         "What models may take of each device's memory [80%]")
      ->type_name("SIZE|N%");
  AddParsed(app, "--host-copy", ParseHostCopy, &options->host_copy, "NAME",
            "What becomes of a model in the host's memory once a device has it: keep, drop, pin "
            "[keep]");
}

void AddKeeper(CLI::App* app, DaemonOptions* options) {
  AddNamed(app, "--keeper", &options->keeper, "auto", "auto, process, off",
           "Who keeps what is resident for the daemon that comes after this one; auto is systemd's "
           "descriptor store, if there is one");
  AddDuration(app, "--keep-for", &options->keep_for,
              "With --keeper process: how long, without a daemon [5m]");
}

uint64_t DownloadRate(const std::string& text) {
  const Result<uint64_t> parsed = ParseByteSize(text);
  if (parsed.ok()) return *parsed;
  throw CLI::ValidationError("--download-rate",
                             parsed.status().message() + ": " + parsed.status().hint());
}

void AddDownloads(CLI::App* app, DaemonOptions* options) {
  app->add_option("--download-ranges", options->download_ranges,
                  "Ranges of 8 MiB that are fetched at once, of each source [8]")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""));
  app->add_option_function<std::string>(
         "--download-rate",
         [options](const std::string& text) { options->download_rate = DownloadRate(text); },
         "Bytes that are fetched in a second, of each source: 50MB; 0: no limit [0]")
      ->type_name("SIZE");
}

void AddLimits(CLI::App* app, DaemonOptions* options) {
  AddDuration(app, "--default-deadline", &options->default_deadline,
              "How long an open that names no deadline may wait [60s]");
  AddDuration(app, "--idle-exit", &options->idle_exit,
              "Leave after so long without connection, lease or load [off]");
  app->add_option("--max-connections", options->max_connections, "Connections at once [8192]")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""));
  app->add_option("--max-connections-per-uid", options->max_connections_per_uid,
                  "Connections of one user at once [4096]")
      ->type_name("N")
      ->check(CLI::Range(1, 1 << 30).description(""));
}

void AddRunning(CLI::App* app, DaemonOptions* options) {
  app->add_option("--ready-fd", options->ready_fd,
                  "Descriptor that one byte is written to once the socket is served")
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
  app->add_flag("--allow-fault-injection", options->allow_fault_injection,
                "For tests: let TRIMS_FAULT make system calls fail");
}

}  // namespace

// CLI11 reports through exceptions; none leaves this function.
ParsedOptions ParseOptions(int argc, const char* const* argv, std::ostream& out,
                           std::ostream& err) {
  ParsedOptions parsed;
  CLI::App app(kAbout, "trimsd");
  app.footer(kFooter);
  app.set_version_flag("--version", "trimsd " TRIMS_VERSION);
  app.set_config("--config", "", "Read options from this file")->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);
  AddPlaces(&app, &parsed.options);
  AddMemory(&app, &parsed.options);
  AddDevices(&app, &parsed.options);
  AddKeeper(&app, &parsed.options);
  AddDownloads(&app, &parsed.options);
  AddLimits(&app, &parsed.options);
  AddRunning(&app, &parsed.options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const bool in_file = dynamic_cast<const CLI::ConfigError*>(&error) != nullptr;
    const bool is_answer = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    if (is_answer) app.exit(error, out, err);
    if (!is_answer) {
      err << "trimsd: " << (in_file ? "configuration file: " : "") << error.what()
          << " (try: trimsd --help)\n";
    }
    parsed.exit_code = is_answer ? 0 : kExitUsage;
  } catch (const std::exception& error) {
    err << "trimsd: " << error.what() << " (try: trimsd --help)\n";
    parsed.exit_code = kExitUsage;
  }
  return parsed;
}

}  // namespace trims::daemon
