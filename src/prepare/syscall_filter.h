// InstallSyscallFilter: the seccomp filter of the preparer.
//
// It can't be undone, and holds for the calling thread and those it starts later.
#ifndef TRIMS_PREPARE_SYSCALL_FILTER_H_
#define TRIMS_PREPARE_SYSCALL_FILTER_H_

#include "trims/status.h"

namespace trims {

// From now on EPERM: sockets of any kind, running programs, new processes (threads are fine),
// signals to other processes, tracing and other processes' memory, mounts and namespaces, kernel
// modules, keys, bpf, perf, io_uring, userfaultfd, System V and POSIX IPC, changes of owner, mode,
// times and attributes of files, clocks, ids and capabilities. Needs no_new_privs or CAP_SYS_ADMIN.
Status InstallSyscallFilter();

}  // namespace trims

#endif  // TRIMS_PREPARE_SYSCALL_FILTER_H_
