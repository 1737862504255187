// DaemonOptions: what trimsd was told, by flags and by its configuration file.
//
//   ParsedOptions parsed = ParseOptions(argc, argv, std::cout, std::cerr);
//   if (parsed.exit_code.has_value()) return *parsed.exit_code;  // --help, --version, a usage error
//
// docs/operations.md explains every option. Thread-safety: values.
#ifndef TRIMS_TOOLS_TRIMSD_OPTIONS_H_
#define TRIMS_TOOLS_TRIMSD_OPTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "base/granularity.h"
#include "base/log.h"
#include "manager/manager.h"
#include "residency/host_copy.h"
#include "store/host_memory.h"
#include "store/tier_policy.h"

namespace trims::daemon {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;

// kAuto: the better one that this process may use.
enum class ReadEngineChoice { kAuto, kUring, kPread };

// kAuto: the service manager's descriptor store, where this is a service of one.
enum class KeeperChoice { kAuto, kProcess, kOff };

struct DaemonOptions {
  bool system = false;
  std::string socket;  // empty: the default for this user or, with `system`, for the machine
  std::string data;    // likewise
  mode_t socket_mode = 0600;
  std::string host_budget = "50%";
  std::string disk_budget = {};       // empty: none
  std::vector<std::string> devices;   // as OpenDevice takes them
  std::string device_budget = "80%";  // of each device's capacity
  HostCopy host_copy = HostCopy::kKeep;
  TierPolicy policy = {};
  Quotas quotas = {};
  std::chrono::milliseconds churn_guard{0};  // 0: none
  std::string pressure = "off";              // "off", "auto", or the file that tells of it
  std::string pressure_floor = "0";  // of the host budget: as it is parsed, bytes or a share
  int loader_threads = 2;
  HugePagePolicy huge_pages = HugePagePolicy::kBest;
  ReadEngineChoice read_engine = ReadEngineChoice::kAuto;
  KeeperChoice keeper = KeeperChoice::kAuto;
  std::chrono::milliseconds keep_for{std::chrono::minutes(5)};  // by a trims-keeper
  size_t download_ranges = 8;                                   // in flight, of each source
  uint64_t download_rate = 0;             // bytes a second, of each source; 0: no limit
  std::vector<std::string> preload = {};  // references
  std::chrono::milliseconds default_deadline{std::chrono::seconds(60)};
  std::chrono::milliseconds idle_exit{0};  // 0: never
  size_t max_connections = 8192;
  size_t max_connections_per_uid = 4096;
  std::string preparer;                           // empty: looked for
  std::string onnxruntime_library;                // empty: the preparer's own choice
  Granularity granularity = Granularity::kModel;  // of what is added without a word about it
  int ready_fd = -1;
  LogLevel log_level = LogLevel::kInfo;
  bool allow_fault_injection = false;
};

struct ParsedOptions {
  std::optional<int> exit_code;
  DaemonOptions options;
};

ParsedOptions ParseOptions(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_OPTIONS_H_
