#include <fmt/format.h>

#include <utility>

#include "tools/trims/doctor_checks.h"

namespace trims::cli {
namespace {

bool AtLeast(const KernelFacts& kernel, int major, int minor) {
  return std::pair(kernel.major, kernel.minor) >= std::pair(major, minor);
}

Check Release(const KernelFacts& kernel) {
  Check check{.id = "kernel", .found = "Linux " + kernel.release};
  if (!AtLeast(kernel, 5, 14)) {
    check.level = CheckLevel::kFailure;
    check.found += ": 5.14 is the oldest that TrIMS is made for";
    check.mend = "install a newer kernel: sudo apt install linux-image-amd64";
  } else if (!AtLeast(kernel, 6, 1)) {
    check.level = CheckLevel::kWarning;
    check.found += ": tested from 6.1 on";
    check.mend = "install a newer kernel: sudo apt install linux-image-amd64";
  }
  return check;
}

Check Seals(const KernelFacts& kernel) {
  if (kernel.memfd_seals.ok()) {
    return {.id = "sealed-memory",
            .found = "a sealed memfd can't be written: models stay as they were read"};
  }
  return {.id = "sealed-memory",
          .level = CheckLevel::kFailure,
          .found = kernel.memfd_seals.message(),
          .mend =
              "allow memfd_create(2) and fcntl(2) F_ADD_SEALS (a container's seccomp profile may "
              "forbid them)"};
}

Check Collapse(const KernelFacts& kernel) {
  if (kernel.madv_collapse)
    return {.id = "madv-collapse", .found = "huge pages can be made on request"};
  return {.id = "madv-collapse",
          .level = CheckLevel::kWarning,
          .found =
              "the kernel has no MADV_COLLAPSE (6.1): huge pages depend on shmem_enabled or a "
              "hugetlb pool",
          .mend = "echo advise | sudo tee /sys/kernel/mm/transparent_hugepage/shmem_enabled"};
}

Check Feature(const char* id, bool there, const char* with, const char* without, const char* mend) {
  if (there) return {.id = id, .found = with};
  return {.id = id, .level = CheckLevel::kWarning, .found = without, .mend = mend};
}

Check Landlock(const KernelFacts& kernel) {
  if (kernel.landlock_abi > 0) {
    return {.id = "landlock",
            .found = fmt::format("ABI {}: trims-prepare sees its input and nothing else",
                                 kernel.landlock_abi)};
  }
  return {
      .id = "landlock",
      .level = CheckLevel::kWarning,
      .found = "not there: trims-prepare can't be kept from this user's other files",
      .mend =
          "boot with landlock in the lsm= parameter, and a kernel with CONFIG_SECURITY_LANDLOCK=y"};
}

Check IoUring(const KernelFacts& kernel) {
  if (kernel.io_uring.ok()) {
    return {.id = "io-uring", .found = "models are read with io_uring"};
  }
  return {
      .id = "io-uring",
      .level = CheckLevel::kWarning,
      .found = "refused: models are read by threads, which is slower from fast disks (" +
               kernel.io_uring.message() + ")",
      .mend =
          "sudo sysctl kernel.io_uring_disabled=0, or let the container's seccomp profile allow "
          "io_uring_setup(2)"};
}

Check UserNamespaces(const KernelFacts& kernel) {
  if (kernel.user_namespace.ok()) {
    return {.id = "user-namespaces",
            .found = "this user may make them: bubblewrap can isolate the demo's functions"};
  }
  return {.id = "user-namespaces",
          .level = CheckLevel::kWarning,
          .found = kernel.user_namespace.message() + ": the demo runs plain processes",
          .mend = "sudo sysctl user.max_user_namespaces=15000"};
}

}  // namespace

std::vector<Check> CheckKernel(const KernelFacts& kernel) {
  return {
      Release(kernel),
      Seals(kernel),
      Collapse(kernel),
      Feature("openat2", kernel.openat2, "paths of a model's files can't leave its folder",
              "not there or forbidden",
              "use Linux 5.6 or newer, or let the seccomp profile allow openat2(2)"),
      Feature("pidfd", kernel.pidfd, "processes are named without races", "not there or forbidden",
              "use Linux 5.3 or newer, or let the seccomp profile allow pidfd_open(2)"),
      Feature(
          "peer-pidfd", kernel.peer_pidfd, "a client's process can be pinned down (SO_PEERPIDFD)",
          "no SO_PEERPIDFD: clients are known by uid, gid and pid only", "use Linux 6.5 or newer"),
      Landlock(kernel),
      Feature("seccomp", kernel.seccomp, "trims-prepare's system calls can be filtered",
              "no seccomp filters: trims-prepare runs with fewer limits",
              "use a kernel with CONFIG_SECCOMP_FILTER=y"),
      IoUring(kernel),
      UserNamespaces(kernel)};
}

}  // namespace trims::cli
