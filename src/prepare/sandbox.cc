#include "prepare/sandbox.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

#include <nlohmann/json.hpp>

#include "base/errno_status.h"
#include "base/macros.h"
#include "prepare/landlock.h"
#include "prepare/syscall_filter.h"

namespace trims {
namespace {

// Sanitizers reserve terabytes of address space and would die of the limit.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitizer = true;
#else
constexpr bool kSanitizer = false;
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitizer = true;
#else
constexpr bool kSanitizer = false;
#endif

constexpr rlim_t kMaxDescriptors = 1024;
// Reserved address space is not memory: files mapped by ONNX Runtime and the arenas of threads
// count here only.
constexpr uint64_t kAddressSpaceFactor = 4;

Status Limit(int resource, rlim_t value, const char* name) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) {
    return ErrnoStatus(std::string("getrlimit ") + name);
  }
  if (limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max) value = limit.rlim_max;
  limit = {value, value};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0) return Status();
  return ErrnoStatus(std::string("setrlimit ") + name);
}

Status ApplyLimits(const SandboxOptions& options, SandboxReport* report) {
  TRIMS_RETURN_IF_ERROR(Limit(RLIMIT_CORE, 0, "CORE"));
  TRIMS_RETURN_IF_ERROR(Limit(RLIMIT_NOFILE, kMaxDescriptors, "NOFILE"));
  TRIMS_RETURN_IF_ERROR(Limit(RLIMIT_FSIZE, options.file_limit, "FSIZE"));
  TRIMS_RETURN_IF_ERROR(Limit(RLIMIT_CPU, static_cast<rlim_t>(options.cpu_limit.count()), "CPU"));
  ::signal(SIGXFSZ, SIG_IGN);  // a write beyond the limit fails with EFBIG instead
  if (!kSanitizer) {
    TRIMS_RETURN_IF_ERROR(Limit(RLIMIT_DATA, options.memory_limit, "DATA"));
    TRIMS_RETURN_IF_ERROR(Limit(RLIMIT_AS, options.memory_limit * kAddressSpaceFactor, "AS"));
    report->address_space_limit = true;
  }
  report->limits = true;
  return Status();
}

Status SetProcessFlags(SandboxReport* report) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return ErrnoStatus("no_new_privs");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return ErrnoStatus("PR_SET_DUMPABLE");
  report->no_new_privileges = true;
  return Status();
}

// root needs no user namespace for it and loses its files in one.
bool LeaveNetwork() {
  if (::unshare(CLONE_NEWNET) == 0) return true;
  return ::geteuid() != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
}

// All capabilities but that of reading: the daemon's own files may belong to somebody else when it
// runs as root.
bool DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[2] = {};
  if (::syscall(SYS_capget, &header, held) != 0) return false;
  __user_cap_data_struct kept[2] = {};
  kept[0].effective = kept[0].permitted = held[0].permitted & (1u << CAP_DAC_READ_SEARCH);
  return ::syscall(SYS_capset, &header, kept) == 0;
}

// Descriptors that a careless parent left open would be a way around everything else.
void CloseOthers(int kept) {
  constexpr unsigned kFirst = 3;
  const auto end = ~0u;
  if (kept < static_cast<int>(kFirst)) {
    ::syscall(SYS_close_range, kFirst, end, 0);
    return;
  }
  const auto keep = static_cast<unsigned>(kept);
  if (keep > kFirst) ::syscall(SYS_close_range, kFirst, keep - 1, 0);
  ::syscall(SYS_close_range, keep + 1, end, 0);
}

LandlockPaths AllowedPaths(const SandboxOptions& options) {
  LandlockPaths paths;
  // Libraries, and what the C library and ONNX Runtime look up about the machine.
  paths.readable = {"/usr/lib",
                    "/usr/lib64",
                    "/lib",
                    "/lib64",
                    "/usr/share/zoneinfo",
                    "/etc/localtime",
                    "/etc/ld.so.cache",
                    "/proc/cpuinfo",
                    "/proc/meminfo",
                    "/sys/devices/system/cpu",
                    "/dev/null",
                    "/dev/urandom"};
  paths.readable.insert(paths.readable.end(), options.sources.begin(), options.sources.end());
  if (!options.library_folder.empty()) paths.readable.push_back(options.library_folder);
  if (!options.out.empty()) paths.writable.push_back(options.out);
  return paths;
}

}  // namespace

Result<SandboxReport> ApplySandbox(const SandboxOptions& options) {
  SandboxReport report;
  ::signal(SIGPIPE, SIG_DFL);  // whoever wanted the result is gone
  CloseOthers(options.progress_fd);
  TRIMS_RETURN_IF_ERROR(ApplyLimits(options, &report));
  report.network_namespace = LeaveNetwork();
  report.capabilities_dropped = DropCapabilities();
  TRIMS_RETURN_IF_ERROR(SetProcessFlags(&report));
  report.landlock_abi = LandlockAbi();
  if (report.landlock_abi > 0) {
    TRIMS_RETURN_IF_ERROR(RestrictToPaths(AllowedPaths(options)));
    report.landlock = true;
  }
  TRIMS_RETURN_IF_ERROR(InstallSyscallFilter());
  report.seccomp = true;
  return report;
}

std::string Describe(const SandboxReport& report) {
  std::string text = "without new privileges, with limits and a system call filter";
  if (report.landlock) text += ", Landlock (ABI " + std::to_string(report.landlock_abi) + ")";
  if (report.network_namespace) text += ", no network";
  if (report.capabilities_dropped) text += ", no capabilities";
  std::string missing;
  if (!report.landlock) missing += " Landlock";
  if (!report.network_namespace) missing += " network-namespace";
  if (!report.capabilities_dropped) missing += " dropped-capabilities";
  if (!report.address_space_limit) missing += " memory-limit";
  return missing.empty() ? text : text + "; not to be had here:" + missing;
}

std::string ToJson(const SandboxReport& report) {
  const nlohmann::ordered_json document = {{"no_new_privileges", report.no_new_privileges},
                                           {"limits", report.limits},
                                           {"address_space_limit", report.address_space_limit},
                                           {"capabilities_dropped", report.capabilities_dropped},
                                           {"seccomp", report.seccomp},
                                           {"landlock", report.landlock},
                                           {"landlock_abi", report.landlock_abi},
                                           {"network_namespace", report.network_namespace}};
  return document.dump(2);
}

}  // namespace trims
