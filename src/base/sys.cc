#include "base/sys.h"

#include <linux/openat2.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/fault.h"

namespace trims::sys {
namespace {

bool Injected(fault::Op op) {
  const int error = fault::Check(op);
  if (error != 0) errno = error;
  return error != 0;
}

template <typename Call>
auto RetryOnInterrupt(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

}  // namespace

UniqueFd Open(const char* path, int flags, mode_t mode) {
  return OpenAt(AT_FDCWD, path, flags, mode);
}

UniqueFd OpenAt(int directory, const char* path, int flags, mode_t mode) {
  if (Injected(fault::Op::kOpen)) return UniqueFd();
  return UniqueFd(
      RetryOnInterrupt([&] { return ::openat(directory, path, flags | O_CLOEXEC, mode); }));
}

UniqueFd OpenAt2(int directory, const char* path, int flags, uint64_t resolve) {
  if (Injected(fault::Op::kOpen)) return UniqueFd();
  open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.resolve = resolve;
  return UniqueFd(RetryOnInterrupt([&] {
    return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof(how)));
  }));
}

ssize_t Pread(int fd, void* data, size_t size, off_t offset) {
  if (Injected(fault::Op::kRead)) return -1;
  const ssize_t count = RetryOnInterrupt([&] { return ::pread(fd, data, size, offset); });
  const bool cut = count > 1 && fault::Check(fault::Op::kShortRead) != 0;
  return cut ? count / 2 : count;
}

ssize_t Read(int fd, void* data, size_t size) {
  if (Injected(fault::Op::kRead)) return -1;
  return RetryOnInterrupt([&] { return ::read(fd, data, size); });
}

ssize_t Write(int fd, const void* data, size_t size) {
  if (Injected(fault::Op::kWrite)) return -1;
  return RetryOnInterrupt([&] { return ::write(fd, data, size); });
}

ssize_t Pwrite(int fd, const void* data, size_t size, off_t offset) {
  if (Injected(fault::Op::kWrite)) return -1;
  return RetryOnInterrupt([&] { return ::pwrite(fd, data, size, offset); });
}

UniqueFd MemfdCreate(const char* name, unsigned flags) {
  if (Injected(fault::Op::kMemfdCreate)) return UniqueFd();
  return UniqueFd(::memfd_create(name, flags));
}

int Ftruncate(int fd, off_t size) {
  if (Injected(fault::Op::kTruncate)) return -1;
  return RetryOnInterrupt([&] { return ::ftruncate(fd, size); });
}

int Fsync(int fd) {
  if (Injected(fault::Op::kSync)) return -1;
  return RetryOnInterrupt([&] { return ::fsync(fd); });
}

int MakeFolder(const char* path, mode_t mode) {
  if (Injected(fault::Op::kMakeFolder)) return -1;
  return ::mkdir(path, mode);
}

int MakeFolderAt(int directory, const char* path, mode_t mode) {
  if (Injected(fault::Op::kMakeFolder)) return -1;
  return ::mkdirat(directory, path, mode);
}

int Unlink(const char* path) {
  if (Injected(fault::Op::kRename)) return -1;
  return ::unlink(path);
}

int MakeTempFolder(char* name) {
  if (Injected(fault::Op::kMakeFolder)) return -1;
  return ::mkdtemp(name) == nullptr ? -1 : 0;
}

int Rename(const char* from, const char* to) {
  if (Injected(fault::Op::kRename)) return -1;
  return ::rename(from, to);
}

int RenameNoReplace(const char* from, const char* to) {
  if (Injected(fault::Op::kRename)) return -1;
  return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int LinkAt(const char* from, int directory, const char* to) {
  if (Injected(fault::Op::kRename)) return -1;
  return ::linkat(AT_FDCWD, from, directory, to, 0);
}

int RenameExchange(const char* one, const char* other) {
  if (Injected(fault::Op::kRename)) return -1;
  return ::renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
}

int Fallocate(int fd, int mode, off_t offset, off_t size) {
  if (Injected(fault::Op::kFallocate)) return -1;
  return RetryOnInterrupt([&] { return ::fallocate(fd, mode, offset, size); });
}

void* Mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  if (Injected(fault::Op::kMmap)) return MAP_FAILED;
  return ::mmap(address, size, protection, flags, fd, offset);
}

int Madvise(void* address, size_t size, int advice) {
  if (Injected(fault::Op::kMadvise)) return -1;
  return ::madvise(address, size, advice);
}

int AddSeals(int fd, int seals) {
  if (Injected(fault::Op::kSeal)) return -1;
  return ::fcntl(fd, F_ADD_SEALS, seals);
}

UniqueFd ReopenReadOnly(int fd) {
  if (Injected(fault::Op::kReopen)) return UniqueFd();
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return UniqueFd(RetryOnInterrupt([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
}

int WatchEnd(int inotify, int fd) {
  if (Injected(fault::Op::kWatch)) return -1;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return ::inotify_add_watch(inotify, path.c_str(), IN_DELETE_SELF);
}

ssize_t SendMessage(int fd, const msghdr* message, int flags) {
  if (Injected(fault::Op::kSend)) return -1;
  return RetryOnInterrupt([&] { return ::sendmsg(fd, message, flags | MSG_NOSIGNAL); });
}

ssize_t ReceiveMessage(int fd, msghdr* message, int flags) {
  if (Injected(fault::Op::kReceive)) return -1;
  return RetryOnInterrupt([&] { return ::recvmsg(fd, message, flags | MSG_CMSG_CLOEXEC); });
}

UniqueFd Accept(int fd) {
  if (Injected(fault::Op::kAccept)) return UniqueFd();
  return UniqueFd(RetryOnInterrupt(
      [&] { return ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK); }));
}

}  // namespace trims::sys
