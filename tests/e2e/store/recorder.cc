// The recorder: a library that is preloaded into trimsd and trims-prepare and writes down every change that they make
// to the disk (record_area.h). It stands between them and the C library, SQLite's calls and those of the C++ library
// included, and makes each call itself.
//
// What is written through a shared mapping is seen by comparison with a copy, whenever the process changes anything
// else, and when the file is synced or unmapped. Syncs are noted and not made: the test's own kernel loses nothing.
//
// Compiled without sanitizers, and for programs without them.
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "e2e/store/record_changes.h"

#define RECORDED extern "C" __attribute__((visibility("default")))

namespace recorder = trims::test::recorder;

namespace {
__attribute__((constructor)) void Start() { recorder::Start(); }
}  // namespace

RECORDED int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = recorder::ModeOf(flags, arguments);
  va_end(arguments);
  return recorder::Open(AT_FDCWD, path, flags, mode);
}

RECORDED int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = recorder::ModeOf(flags, arguments);
  va_end(arguments);
  return recorder::Open(AT_FDCWD, path, flags, mode);
}

RECORDED int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = recorder::ModeOf(flags, arguments);
  va_end(arguments);
  return recorder::Open(folder, path, flags, mode);
}

RECORDED int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = recorder::ModeOf(flags, arguments);
  va_end(arguments);
  return recorder::Open(folder, path, flags, mode);
}

RECORDED ssize_t write(int fd, const void* data, size_t size) {
  const iovec part{const_cast<void*>(data), size};
  return recorder::Write(fd, &part, 1, -1, [&] { return ::syscall(SYS_write, fd, data, size); });
}

RECORDED ssize_t writev(int fd, const iovec* parts, int count) {
  return recorder::Write(fd, parts, count, -1,
                         [&] { return ::syscall(SYS_writev, fd, parts, count); });
}

RECORDED ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const iovec part{const_cast<void*>(data), size};
  return recorder::Write(fd, &part, 1, offset,
                         [&] { return ::syscall(SYS_pwrite64, fd, data, size, offset); });
}

RECORDED ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  return pwrite(fd, data, size, offset);
}

RECORDED int ftruncate(int fd, off_t size) noexcept {
  return recorder::Resize(fd, [&] { return static_cast<int>(::syscall(SYS_ftruncate, fd, size)); });
}

RECORDED int ftruncate64(int fd, off64_t size) noexcept { return ftruncate(fd, size); }

RECORDED int fallocate(int fd, int mode, off_t offset, off_t size) {
  return recorder::Resize(
      fd, [&] { return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, size)); });
}

RECORDED int fallocate64(int fd, int mode, off64_t offset, off64_t size) {
  return fallocate(fd, mode, offset, size);
}

RECORDED int posix_fallocate(int fd, off_t offset, off_t size) {
  return fallocate(fd, 0, offset, size) == 0 ? 0 : errno;
}

RECORDED int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  return posix_fallocate(fd, offset, size);
}

RECORDED int fsync(int fd) {
  return recorder::Recording() ? recorder::Sync(fd) : static_cast<int>(::syscall(SYS_fsync, fd));
}

RECORDED int fdatasync(int fd) {
  return recorder::Recording() ? recorder::Sync(fd)
                               : static_cast<int>(::syscall(SYS_fdatasync, fd));
}

RECORDED int mkdir(const char* path, mode_t mode) noexcept {
  return recorder::MakeFolder(AT_FDCWD, path, mode);
}

RECORDED int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return recorder::MakeFolder(folder, path, mode);
}

// The C library's own makes its folder past the recorder.
RECORDED char* mkdtemp(char* name) noexcept {
  static int count = 0;
  char* const digits = name + std::strlen(name) - 6;
  for (;;) {
    std::snprintf(digits, 7, "%02x%04x", static_cast<unsigned>(::getpid()) & 0xff,
                  static_cast<unsigned>(++count) & 0xffff);
    if (recorder::MakeFolder(AT_FDCWD, name, 0700) == 0) return name;
    if (errno != EEXIST) return nullptr;
  }
}

RECORDED int unlink(const char* path) noexcept { return recorder::Remove(AT_FDCWD, path, 0); }

RECORDED int unlinkat(int folder, const char* path, int flags) noexcept {
  return recorder::Remove(folder, path, flags);
}

RECORDED int rmdir(const char* path) noexcept {
  return recorder::Remove(AT_FDCWD, path, AT_REMOVEDIR);
}

RECORDED int remove(const char* path) noexcept {
  if (unlink(path) == 0) return 0;
  return errno == EISDIR || errno == EPERM ? rmdir(path) : -1;
}

RECORDED int rename(const char* from, const char* to) noexcept {
  return recorder::Rename(AT_FDCWD, from, AT_FDCWD, to, 0);
}

RECORDED int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return recorder::Rename(from_folder, from, to_folder, to, 0);
}

RECORDED int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                       unsigned flags) noexcept {
  return recorder::Rename(from_folder, from, to_folder, to, flags);
}

RECORDED int link(const char* from, const char* to) noexcept {
  return recorder::Link(AT_FDCWD, from, AT_FDCWD, to, 0);
}

RECORDED int linkat(int from_folder, const char* from, int to_folder, const char* to,
                    int flags) noexcept {
  return recorder::Link(from_folder, from, to_folder, to, flags);
}

RECORDED void* mmap(void* address, size_t size, int protection, int flags, int fd,
                    off_t offset) noexcept {
  return recorder::Map(address, size, protection, flags, fd, offset);
}

RECORDED void* mmap64(void* address, size_t size, int protection, int flags, int fd,
                      off64_t offset) noexcept {
  return recorder::Map(address, size, protection, flags, fd, offset);
}

RECORDED int munmap(void* address, size_t size) noexcept { return recorder::Unmap(address, size); }

RECORDED int clock_gettime(clockid_t clock, timespec* time) noexcept {
  return recorder::RawClock(clock, time);
}

RECORDED int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  const int result = recorder::RawClock(CLOCK_REALTIME, &now);
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return result;
}

RECORDED time_t time(time_t* result) noexcept {
  timespec now{};
  recorder::RawClock(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}
