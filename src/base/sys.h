// The system calls that can fail in ways a test must provoke, each behind base/fault.h. Same
// arguments, same errno contract as the call itself, retried on EINTR where that is right. No
// policy here.
#ifndef TRIMS_BASE_SYS_H_
#define TRIMS_BASE_SYS_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "base/unique_fd.h"

namespace trims::sys {

UniqueFd Open(const char* path, int flags, mode_t mode = 0);
UniqueFd OpenAt(int directory, const char* path, int flags, mode_t mode = 0);
// openat2(2): `resolve` is RESOLVE_BENEATH and its kin. ENOSYS before Linux 5.6.
UniqueFd OpenAt2(int directory, const char* path, int flags, uint64_t resolve);
ssize_t Pread(int fd, void* data, size_t size, off_t offset);
ssize_t Read(int fd, void* data, size_t size);
ssize_t Write(int fd, const void* data, size_t size);
ssize_t Pwrite(int fd, const void* data, size_t size, off_t offset);
UniqueFd MemfdCreate(const char* name, unsigned flags);
int Fsync(int fd);
int MakeFolder(const char* path, mode_t mode);
int MakeFolderAt(int directory, const char* path, mode_t mode);
int Unlink(const char* path);
int MakeTempFolder(char* name);                         // replaces the XXXXXX at its end; mode 0700
int Rename(const char* from, const char* to);           // takes the place of what is there
int RenameNoReplace(const char* from, const char* to);  // EEXIST where `to` is there
int LinkAt(const char* from, int directory, const char* to);  // follows no symbolic link
int RenameExchange(const char* one, const char* other);       // EINVAL where the file system can't
int Ftruncate(int fd, off_t size);
int Fallocate(int fd, int mode, off_t offset, off_t size);
void* Mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset);
int Madvise(void* address, size_t size, int advice);
int AddSeals(int fd, int seals);
UniqueFd ReopenReadOnly(
    int fd);  // a new, read-only open file of the same inode, through /proc/self/fd
// inotify_add_watch(2) of an open file, for the end of its inode: IN_DELETE_SELF.
int WatchEnd(int inotify, int fd);
ssize_t SendMessage(int fd, const msghdr* message, int flags);
ssize_t ReceiveMessage(int fd, msghdr* message, int flags);
UniqueFd Accept(int fd);  // close-on-exec and non-blocking

}  // namespace trims::sys

#endif  // TRIMS_BASE_SYS_H_
