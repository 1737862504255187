// ServerSnapshot: what the server knows of itself, as a value.
#ifndef TRIMS_SERVER_SERVER_SNAPSHOT_H_
#define TRIMS_SERVER_SERVER_SNAPSHOT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "server/open_latencies.h"

namespace trims {

// Since the daemon started.
struct ServerCounters {
  uint64_t accepted = 0;
  uint64_t refused = 0;  // beyond a limit on connections, or no descriptor left
  uint64_t requests = 0;
  uint64_t violations = 0;      // connections dropped for what they sent
  uint64_t dropped_silent = 0;  // no first frame in time
  uint64_t dropped_unread = 0;  // replies not taken in time
  uint64_t replies_failed = 0;  // opens whose reply could not be sent
};

struct ServerSnapshot {
  std::string version;
  std::string socket_path;
  std::string data_folder;
  std::string read_engine;
  // Who keeps what is resident for the next daemon: "process", "systemd", "off".
  std::string keeper;
  std::string pressure_file;  // that tells of memory pressure; empty: none does
  std::chrono::milliseconds uptime{0};
  size_t connections = 0;
  size_t max_connections = 0;
  size_t max_connections_per_uid = 0;
  size_t requests_in_flight = 0;
  ServerCounters counters;
  OpenLatencies open_latencies;
};

}  // namespace trims

#endif  // TRIMS_SERVER_SERVER_SNAPSHOT_H_
