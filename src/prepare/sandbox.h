// ApplySandbox: gives up, for the rest of this process, everything that preparing a model does not
// need.
//
// Call it first thing, with one thread running and before any byte of input is read. What can't be
// had on a kernel or in a container (Landlock, a network namespace) is left out and said so;
// without no_new_privs, limits and the system call filter it fails. Nothing of it can be undone,
// and threads started later inherit it.
//
//   const Result<SandboxReport> report =
//       ApplySandbox({.sources = {"/models/m"}, .out = "/tmp/out"});
//
// docs/preparer.md lists what each layer forbids.
#ifndef TRIMS_PREPARE_SANDBOX_H_
#define TRIMS_PREPARE_SANDBOX_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "trims/status.h"

namespace trims {

struct SandboxOptions {
  std::vector<std::string> sources;  // absolute; may be read
  std::string out;                   // absolute; may be written; empty: nothing
  std::string library_folder;        // of ONNX Runtime; may be read
  uint64_t memory_limit = uint64_t{16} << 30;
  std::chrono::seconds cpu_limit{900};
  uint64_t file_limit = uint64_t{1} << 40;
  int progress_fd = -1;  // kept open beside 0 to 2
};

struct SandboxReport {
  bool no_new_privileges = false;
  bool limits = false;
  bool address_space_limit = false;  // impossible under a sanitizer
  bool capabilities_dropped = false;
  bool seccomp = false;
  bool landlock = false;
  int landlock_abi = 0;
  bool network_namespace = false;
};

// FAILED_PRECONDITION: a layer that must be there can't be had.
Result<SandboxReport> ApplySandbox(const SandboxOptions& options);

// One line for Manifest::sandbox.
std::string Describe(const SandboxReport& report);
// What `trims-prepare --sandbox-check` prints.
std::string ToJson(const SandboxReport& report);

}  // namespace trims

#endif  // TRIMS_PREPARE_SANDBOX_H_
