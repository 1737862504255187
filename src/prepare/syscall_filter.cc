#include "prepare/syscall_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <type_traits>

#include "base/errno_status.h"
#include "base/macros.h"

namespace trims {
namespace {

using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, void (*)(scmp_filter_ctx)>;

// clang-format off
constexpr const char* kForbidden[] = {
    // network and IPC
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendmsg", "sendmmsg", "recvmsg", "recvmmsg",
    "shmget", "shmat", "shmctl", "semget", "semop", "semctl", "msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink",
    // programs and processes
    "execve", "execveat", "fork", "vfork", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open",
    "pidfd_getfd", "pidfd_send_signal", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
    "process_mrelease", "kcmp", "personality", "setpriority", "ioprio_set", "sched_setscheduler", "sched_setattr",
    // namespaces, mounts and roots
    "unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount",
    "open_tree", "mount_setattr", "swapon", "swapoff", "quotactl", "quotactl_fd", "open_by_handle_at", "name_to_handle_at",
    // the kernel
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot", "bpf", "perf_event_open",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "add_key", "request_key", "keyctl", "syslog",
    "acct", "fanotify_init", "lookup_dcookie", "vhangup", "iopl", "ioperm", "modify_ldt", "nfsservctl", "_sysctl",
    // clocks and names of the machine
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
    // ids and capabilities
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", "capset",
    "setsid", "setpgid",
    // what Landlock does not cover
    "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "setxattr", "lsetxattr", "fsetxattr",
    "removexattr", "lremovexattr", "fremovexattr", "utime", "utimes", "futimesat", "utimensat", "mknod", "mknodat", "link",
    "linkat", "symlink", "symlinkat",
};
// clang-format on

Status Added(int result, const char* name) {
  if (result == 0) return Status();
  return ErrnoStatus("a seccomp rule for " + std::string(name), -result);
}

Status ForbidAll(scmp_filter_ctx filter) {
  for (const char* name : kForbidden) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;  // this architecture or library doesn't have it
    TRIMS_RETURN_IF_ERROR(Added(seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0), name));
  }
  return Status();
}

// Refuses calls of `number` for which the argument compares so.
Status ForbidWhere(scmp_filter_ctx filter, int number, const char* name, scmp_arg_cmp argument) {
  return Added(seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, 1, &argument), name);
}

// Threads and nothing else. clone3 passes its flags in memory, where a filter can't see them: the C
// library falls back to clone where it does not exist.
Status AllowOnlyThreads(scmp_filter_ctx filter) {
  TRIMS_RETURN_IF_ERROR(
      Added(seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0), "clone3"));
  return ForbidWhere(filter, SCMP_SYS(clone), "clone",
                     {.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD, .datum_b = 0});
}

// abort() signals the process itself; limits of others and typing into a terminal are nobody's
// business here.
Status ForbidByArgument(scmp_filter_ctx filter) {
  const auto self = static_cast<scmp_datum_t>(::getpid());
  TRIMS_RETURN_IF_ERROR(ForbidWhere(filter, SCMP_SYS(tgkill), "tgkill",
                                    {.arg = 0, .op = SCMP_CMP_NE, .datum_a = self, .datum_b = 0}));
  TRIMS_RETURN_IF_ERROR(ForbidWhere(filter, SCMP_SYS(prlimit64), "prlimit64",
                                    {.arg = 0, .op = SCMP_CMP_NE, .datum_a = 0, .datum_b = 0}));
  return ForbidWhere(
      filter, SCMP_SYS(ioctl), "ioctl",
      {.arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = 0xffffffff, .datum_b = TIOCSTI});
}

}  // namespace

Status InstallSyscallFilter() {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (filter == nullptr) return Status(StatusCode::kResourceExhausted, "no memory for seccomp");
  TRIMS_RETURN_IF_ERROR(ForbidAll(filter.get()));
  TRIMS_RETURN_IF_ERROR(AllowOnlyThreads(filter.get()));
  TRIMS_RETURN_IF_ERROR(ForbidByArgument(filter.get()));
  const int loaded = seccomp_load(filter.get());
  if (loaded == 0) return Status();
  return ErrnoStatus("loading the seccomp filter", -loaded);
}

}  // namespace trims
