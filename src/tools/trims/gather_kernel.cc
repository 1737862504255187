#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "base/errno_status.h"
#include "base/mapping.h"
#include "base/sys.h"
#include "base/uring.h"
#include "tools/trims/doctor_gather.h"

namespace trims::cli {
namespace {

// Values of the kernel's interface that Debian 12's headers don't have yet.
constexpr int kMadvCollapse = 25;
constexpr int kSoPeerPidfd = 77;
constexpr long kSysLandlockCreateRuleset = 444;
constexpr unsigned kLandlockCreateRulesetVersion = 1;

// "6.8.0-test" → 6 and 8; zeros where it reads otherwise.
void ParseRelease(const std::string& release, KernelFacts* kernel) {
  const char* end = release.data() + release.size();
  const auto [dot, error] = std::from_chars(release.data(), end, kernel->major);
  if (error == std::errc() && dot != end) std::from_chars(dot + 1, end, kernel->minor);
}

Status TrySeals() {
  const UniqueFd fd = sys::MemfdCreate("trims-doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (!fd) return ErrnoStatus("memfd_create fails");
  if (sys::Ftruncate(fd.get(), kPageSize) != 0) return ErrnoStatus("a memfd can't be given a size");
  if (sys::AddSeals(fd.get(), F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return ErrnoStatus("a memfd can't be sealed");
  }
  if (sys::Write(fd.get(), "x", 1) >= 0) {
    return Status(StatusCode::kInternal,
                  "a sealed memfd could be written: this kernel does not enforce seals");
  }
  return {};
}

// EINVAL would mean that the kernel does not know the advice; any other answer, that it does.
bool TryCollapse() {
  Result<Mapping> range = Mapping::Reserve(kHugePageSize, kHugePageSize);
  if (!range.ok()) return false;
  const UniqueFd fd = sys::MemfdCreate("trims-doctor", MFD_CLOEXEC);
  if (!fd || sys::Ftruncate(fd.get(), kHugePageSize) != 0) return false;
  if (!range->MapInto(0, kHugePageSize, fd.get(), PROT_READ | PROT_WRITE).ok()) return false;
  range->data()[0] = std::byte{1};
  return madvise(range->data(), kHugePageSize, kMadvCollapse) == 0 || errno != EINVAL;
}

bool TryOpenat2() {
  // A null `how` of size 0: EINVAL where the call exists, ENOSYS or EPERM where it doesn't or is
  // forbidden.
  return syscall(SYS_openat2, AT_FDCWD, ".", nullptr, 0) < 0 && errno == EINVAL;
}

bool TryPidfd() {
  const UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  return static_cast<bool>(fd);
}

bool TryPeerPidfd() {
  int pair[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  const UniqueFd one(pair[0]);
  const UniqueFd other(pair[1]);
  int fd = -1;
  socklen_t length = sizeof(fd);
  if (getsockopt(one.get(), SOL_SOCKET, kSoPeerPidfd, &fd, &length) != 0) return false;
  const UniqueFd peer(fd);
  return true;
}

int LandlockAbi() {
  const long abi = syscall(kSysLandlockCreateRuleset, nullptr, 0, kLandlockCreateRulesetVersion);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

bool TrySeccomp() {
  const unsigned action = SECCOMP_RET_ERRNO;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

// In a child, since a process can't leave a namespace again.
Status TryUserNamespace() {
  const pid_t child = fork();
  if (child < 0) return ErrnoStatus("cannot fork");
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : errno);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  if (WIFEXITED(status)) return ErrnoStatus("this user may not make any", WEXITSTATUS(status));
  return Status(StatusCode::kPermissionDenied, "trying to make one ended the process");
}

}  // namespace

KernelFacts GatherKernel() {
  KernelFacts kernel;
  utsname name = {};
  if (uname(&name) == 0) {
    kernel.release = name.release;
    ParseRelease(kernel.release, &kernel);
  }
  kernel.memfd_seals = TrySeals();
  kernel.user_namespace = TryUserNamespace();
  kernel.madv_collapse = TryCollapse();
  kernel.openat2 = TryOpenat2();
  kernel.pidfd = TryPidfd();
  kernel.peer_pidfd = TryPeerPidfd();
  kernel.seccomp = TrySeccomp();
  kernel.landlock_abi = LandlockAbi();
  kernel.io_uring = Uring::Create(1).status();
  return kernel;
}

}  // namespace trims::cli
