// DoctorFacts: what `trims doctor` found out about this machine, without any judgement.
// doctor_gather.h fills it in, doctor_checks.h judges it; a test makes its own.
#ifndef TRIMS_TOOLS_TRIMS_DOCTOR_FACTS_H_
#define TRIMS_TOOLS_TRIMS_DOCTOR_FACTS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trims/status.h"

#include "store/huge_pages.h"

namespace trims::cli {

struct KernelFacts {
  std::string release;  // uname -r
  int major = 0;
  int minor = 0;
  Status memfd_seals;     // OK: a sealed memfd refused to be written
  Status user_namespace;  // OK: this user may make one
  bool madv_collapse = false;
  bool openat2 = false;
  bool pidfd = false;
  bool peer_pidfd = false;  // SO_PEERPIDFD
  bool seccomp = false;
  int landlock_abi = 0;  // 0: none
  Status io_uring;       // OK: this user may make a ring
};

struct HugePageFacts {
  uint64_t pool_pages = 0;  // of 2 MiB, in the hugetlb pool
  uint64_t pool_free = 0;
  std::string shmem_enabled;  // the chosen word of it, e.g. "never"; empty: a kernel without
  HugePageSupport support;    // what a new segment gets, found out by making one
};

struct MemoryFacts {
  uint64_t total = 0;
  uint64_t available = 0;
  std::optional<uint64_t> cgroup_limit;  // of this process's cgroup, the lowest on the way up
  int cgroup_version = 0;                // 0: none found
  std::string pressure_file;             // that tells of memory pressure
  Status pressure;                       // OK: this user may have a trigger on it
  std::optional<uint64_t> memlock;       // empty: unlimited
  uint64_t open_files = 0;               // soft limit
  uint64_t open_files_hard = 0;
  uint64_t max_map_count = 0;
};

struct SocketFacts {
  std::string path;
  std::string folder;
  uid_t me = 0;
  bool folder_exists = false;
  bool parent_exists = true;  // of the folder
  uid_t folder_owner = 0;
  mode_t folder_mode = 0;  // permission bits
  Status folder_trust;     // OK: clients accept a socket in it
  bool exists = false;
  bool is_socket = false;
  uid_t owner = 0;
  Status daemon;               // OK: it answered
  std::string daemon_version;  // empty: it did not say
  std::string keeper;          // that daemon's: "process", "systemd", "off"; empty: not known
  bool autostart = true;       // a command would start one
};

// Of the daemon that answers; where none does, of the one that a command would start.
struct DataFacts {
  std::string folder;  // empty: the daemon did not say
  bool exists = false;
  uint64_t daemon = 0;  // its pid; 0: none answers
  Status writable;      // OK: this user may write it, or make it where it is missing
};

struct ProgramFacts {
  std::string trimsd;   // absolute path; empty: not found
  std::string prepare;  // trims-prepare, likewise
  std::vector<std::string> searched;
  Result<std::string> sandbox =
      Status(StatusCode::kNotFound, "not run");  // trims-prepare --sandbox-check
  std::string onnxruntime;                       // path of the library; empty: not found
  std::string onnxruntime_version;               // as the library says
  std::string onnxruntime_error;
  std::string bubblewrap;
};

struct DoctorFacts {
  KernelFacts kernel;
  HugePageFacts huge_pages;
  MemoryFacts memory;
  SocketFacts socket;
  DataFacts data;
  ProgramFacts programs;
};

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_DOCTOR_FACTS_H_
