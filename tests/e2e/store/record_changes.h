// What the recorder does in place of each call: makes the change, and writes it down; or lets it fail (record_area.h).
// For recorder.cc alone. Thread-safety: safe.
#ifndef TRIMS_TESTS_E2E_STORE_RECORD_CHANGES_H_
#define TRIMS_TESTS_E2E_STORE_RECORD_CHANGES_H_

#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include "e2e/store/record_area.h"

namespace trims::test::recorder {

constexpr size_t kPageBytes = 4096;
constexpr int kMaxMappings = 64;

// A shared, writable mapping of a file on the disk.
struct Mapped {
  char* at = nullptr;
  char* copy = nullptr;  // as it was when it was looked at last
  size_t size = 0;
  uint64_t file = 0;
  uint64_t offset = 0;
};

inline RecordArea* area = nullptr;
inline dev_t device = 0;                // of the record, and of what is recorded
inline Mapped mappings[kMaxMappings];   // with the area's mutex
inline thread_local bool busy = false;  // a call within a call

// Once, before anything else: from then on it is written down, if the environment says where.
inline void Start() {
  const char* path = std::getenv("TRIMS_RECORD");
  if (path == nullptr) return;
  const int fd = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC));
  if (fd < 0) std::abort();
  const long at =
      ::syscall(SYS_mmap, nullptr, kAreaBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, off_t{0});
  if (at == -1) std::abort();
  struct stat record {};
  if (::fstat(fd, &record) != 0) std::abort();
  ::syscall(SYS_close, fd);
  device = record.st_dev;
  area = reinterpret_cast<RecordArea*>(at);
}

inline void NoteMapped(Mapped* mapped) {
  for (size_t page = 0; page < mapped->size; page += kPageBytes) {
    const size_t size = std::min(kPageBytes, mapped->size - page);
    if (std::memcmp(mapped->at + page, mapped->copy + page, size) == 0) continue;
    std::memcpy(mapped->copy + page, mapped->at + page, size);
    area->Append({.change = Change::kWrite, .file = mapped->file, .number = mapped->offset + page},
                 {}, {mapped->copy + page, size});
  }
}

// One change at a time, of all processes. Keeps errno.
class Turn {
 public:
  Turn() {
    busy = true;
    area->Lock();
    for (Mapped& mapped : mappings) {
      if (mapped.at != nullptr) NoteMapped(&mapped);
    }
  }
  ~Turn() {
    const int error = errno;
    area->Unlock();
    busy = false;
    errno = error;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

inline bool Recording() { return area != nullptr && !busy; }

inline bool IsOnDisk(const struct stat& state) {
  return state.st_dev == device && (S_ISREG(state.st_mode) || S_ISDIR(state.st_mode));
}

inline bool Look(int folder, const char* path, struct stat* state) {
  return ::fstatat(folder, path, state, AT_SYMLINK_NOFOLLOW) == 0;
}

// The folder that a path's last name stands in, and that name.
struct Place {
  uint64_t folder = 0;
  std::string name;
};

inline Place PlaceOf(int folder, const char* path) {
  std::string text = path;
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  const size_t slash = text.rfind('/');
  Place place{.name = slash == std::string::npos ? text : text.substr(slash + 1)};
  const std::string parent = slash == std::string::npos ? "." : text.substr(0, slash + 1);
  struct stat state {};
  if (::fstatat(folder, parent.c_str(), &state, 0) == 0 && state.st_dev == device)
    place.folder = state.st_ino;
  return place;
}

inline std::string PathOfFd(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  char path[PATH_MAX];
  const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
  return size < 0 ? "" : std::string(path, static_cast<size_t>(size));
}

// Whether the disk is to fail a change of this; errno says how.
inline bool Fails(const std::string& path, bool is_sync) {
  const int error = area->error.load();
  if (error == 0 || !path.starts_with(area->root)) return false;
  const std::string_view synced = area->synced;
  if (!synced.empty() && (!is_sync || !path.ends_with(synced))) return false;
  if (area->changes_left.fetch_sub(1) > 0) return false;
  errno = error;
  return true;
}

inline bool Fails(int folder, const char* path) {
  if (area->error.load() == 0) return false;
  const bool relative = path[0] != '/' && folder != AT_FDCWD;
  return Fails(relative ? PathOfFd(folder) + "/" + path : path, false);
}

inline bool FailsFd(int fd, bool is_sync) {
  return area->error.load() != 0 && Fails(PathOfFd(fd), is_sync);
}

inline int RawOpen(int folder, const char* path, int flags, mode_t mode) {
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}

inline int Open(int folder, const char* path, int flags, mode_t mode) {
  const bool changes = (flags & (O_CREAT | O_TRUNC | O_ACCMODE)) != 0 && (flags & O_PATH) == 0;
  if (!Recording() || !changes) return RawOpen(folder, path, flags, mode);
  const Turn turn;
  if (Fails(folder, path)) return -1;
  struct stat before {};
  const bool was_there = ::fstatat(folder, path, &before, 0) == 0;
  const int fd = RawOpen(folder, path, flags, mode);
  struct stat state {};
  if (fd < 0 || ::fstat(fd, &state) != 0 || !IsOnDisk(state)) return fd;
  if (!was_there) {
    const Place place = PlaceOf(folder, path);
    area->Append({.change = Change::kMakeFile, .file = state.st_ino, .folder = place.folder},
                 place.name);
  } else if ((flags & O_TRUNC) != 0 && before.st_size > 0) {
    area->Append({.change = Change::kResize, .file = state.st_ino});
  }
  return fd;
}

inline mode_t ModeOf(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

// The inode of a file on the disk, or 0.
inline uint64_t FileOf(int fd) {
  struct stat state {};
  return ::fstat(fd, &state) == 0 && IsOnDisk(state) ? state.st_ino : 0;
}

// `make` writes and says how much; `offset` < 0: where the file stood.
template <typename Make>
ssize_t Write(int fd, const iovec* parts, int count, off_t offset, Make make) {
  if (!Recording()) return make();
  const uint64_t file = FileOf(fd);
  if (file == 0) return make();
  const Turn turn;
  if (FailsFd(fd, false)) return -1;
  const ssize_t written = make();
  if (written <= 0) return written;
  std::string data;
  for (int i = 0; i < count; ++i)
    data.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  data.resize(static_cast<size_t>(written));
  const off_t at = offset >= 0 ? offset : ::lseek(fd, 0, SEEK_CUR) - written;
  area->Append({.change = Change::kWrite, .file = file, .number = static_cast<uint64_t>(at)}, {},
               data);
  return written;
}

// `make` makes a change of an open file, after which it has another length.
template <typename Make>
int Resize(int fd, Make make) {
  if (!Recording()) return make();
  const uint64_t file = FileOf(fd);
  if (file == 0) return make();
  const Turn turn;
  if (FailsFd(fd, false)) return -1;
  const int result = make();
  struct stat state {};
  if (result == 0 && ::fstat(fd, &state) == 0) {
    area->Append(
        {.change = Change::kResize, .file = file, .number = static_cast<uint64_t>(state.st_size)});
  }
  return result;
}

inline int Sync(int fd) {
  const Turn turn;
  if (FailsFd(fd, true)) return -1;
  const uint64_t file = FileOf(fd);
  if (file != 0) area->Append({.change = Change::kSync, .file = file});
  return 0;
}

inline int MakeFolder(int folder, const char* path, mode_t mode) {
  const auto make = [&] { return static_cast<int>(::syscall(SYS_mkdirat, folder, path, mode)); };
  if (!Recording()) return make();
  const Turn turn;
  if (Fails(folder, path)) return -1;
  const int result = make();
  struct stat state {};
  if (result == 0 && Look(folder, path, &state) && IsOnDisk(state)) {
    const Place place = PlaceOf(folder, path);
    area->Append({.change = Change::kMakeFolder, .file = state.st_ino, .folder = place.folder},
                 place.name);
  }
  return result;
}

inline int Remove(int folder, const char* path, int flags) {
  const auto make = [&] { return static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags)); };
  if (!Recording()) return make();
  const Turn turn;
  struct stat state {};
  const bool ours = Look(folder, path, &state) && IsOnDisk(state);
  const Place place = PlaceOf(folder, path);
  if (Fails(folder, path)) return -1;
  const int result = make();
  if (result == 0 && ours) {
    area->Append({.change = Change::kRemove, .file = state.st_ino, .folder = place.folder},
                 place.name);
  }
  return result;
}

inline int Rename(int from_folder, const char* from, int to_folder, const char* to,
                  unsigned flags) {
  const auto make = [&] {
    return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  };
  if (!Recording()) return make();
  const Turn turn;
  if (Fails(from_folder, from) || Fails(to_folder, to)) return -1;
  struct stat state {};
  const bool ours = Look(from_folder, from, &state) && IsOnDisk(state);
  const int result = make();
  if (result == 0 && ours) {
    const Place old_place = PlaceOf(from_folder, from);
    const Place new_place = PlaceOf(to_folder, to);
    area->Append({.change = Change::kRename,
                  .file = state.st_ino,
                  .folder = old_place.folder,
                  .other_folder = new_place.folder,
                  .number = flags},
                 old_place.name, new_place.name);
  }
  return result;
}

inline int Link(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  const auto make = [&] {
    return static_cast<int>(::syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
  };
  if (!Recording()) return make();
  const Turn turn;
  if (Fails(to_folder, to)) return -1;
  const int result = make();
  struct stat state {};
  if (result == 0 && Look(to_folder, to, &state) && IsOnDisk(state)) {
    const Place place = PlaceOf(to_folder, to);
    area->Append({.change = Change::kLink, .file = state.st_ino, .folder = place.folder},
                 place.name);
  }
  return result;
}

inline void* RawMap(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, fd, offset));
}

// SQLite's index of its log is of no use after a cut: it makes it anew.
inline bool IsWorthWatching(int protection, int flags, int fd) {
  if ((protection & PROT_WRITE) == 0 || (flags & MAP_SHARED) == 0 || fd < 0) return false;
  return FileOf(fd) != 0 && !PathOfFd(fd).ends_with("-shm");
}

inline void* Map(void* address, size_t size, int protection, int flags, int fd, off_t offset) {
  if (!Recording() || !IsWorthWatching(protection, flags, fd))
    return RawMap(address, size, protection, flags, fd, offset);
  const Turn turn;
  void* const at = RawMap(address, size, protection, flags, fd, offset);
  if (at == MAP_FAILED) return at;
  for (Mapped& mapped : mappings) {
    if (mapped.at != nullptr) continue;
    void* const copy =
        RawMap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED) break;
    std::memcpy(copy, at, size);
    mapped = {static_cast<char*>(at), static_cast<char*>(copy), size, FileOf(fd),
              static_cast<uint64_t>(offset)};
    return at;
  }
  std::abort();  // more mappings than any test needs
}

inline int RawUnmap(void* address, size_t size) {
  return static_cast<int>(::syscall(SYS_munmap, address, size));
}

inline int Unmap(void* address, size_t size) {
  if (!Recording()) return RawUnmap(address, size);
  const Turn turn;
  for (Mapped& mapped : mappings) {
    if (mapped.at != address) continue;
    RawUnmap(mapped.copy, mapped.size);
    mapped = {};
  }
  return RawUnmap(address, size);
}

inline int RawClock(clockid_t clock, timespec* time) {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  const bool shifted =
      result == 0 && area != nullptr && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE);
  if (shifted) time->tv_sec += area->clock_shift.load();
  return result;
}

}  // namespace trims::test::recorder

#endif  // TRIMS_TESTS_E2E_STORE_RECORD_CHANGES_H_
