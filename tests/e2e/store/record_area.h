// RecordArea: the memory in which the recorder (recorder.cc) writes down what a daemon and its preparers do to
// the disk, and which the test reads. A file that all of them map; one change at a time, in the order in which they
// came to be.
//
// The test switches faults through it as well: after `changes_left` more, every change beneath `root` fails with `error`;
// if `synced` is no empty text, only syncs of files do whose names end so. The wall clock of the recorded processes is
// `clock_shift` seconds off.
#ifndef TRIMS_TESTS_E2E_STORE_RECORD_AREA_H_
#define TRIMS_TESTS_E2E_STORE_RECORD_AREA_H_

#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace trims::test {

enum class Change : uint32_t {
  kMakeFile,    // file, folder, name
  kMakeFolder,  // likewise
  kWrite,       // file, number: the offset, data
  kResize,      // file, number: the length
  kSync,        // file, which may be a folder
  kRename,      // file, folder, name, other_folder, data: the other name; number: renameat2's flags
  kLink,        // file, folder, name
  kRemove,      // file, folder, name
};

// Followed by the name and the data. Files and folders are inode numbers.
struct RecordHead {
  Change change;
  uint32_t name_size;
  uint64_t data_size;
  uint64_t file;
  uint64_t folder;
  uint64_t other_folder;
  uint64_t number;
};

inline constexpr uint64_t kRecordsBegin = 8192;
inline constexpr uint64_t kAreaBytes = uint64_t{1} << 30;  // of a file with holes

struct RecordArea {
  pthread_mutex_t mutex;   // robust: whoever held it may have been killed
  uint64_t used;           // the end of the records; guarded by the mutex
  bool overflowed;         // likewise
  std::atomic<int> error;  // 0: none fails
  std::atomic<int64_t> changes_left;
  char synced[16];
  std::atomic<int64_t> clock_shift;
  char root[4096];

  void Lock() {
    if (::pthread_mutex_lock(&mutex) == EOWNERDEAD) ::pthread_mutex_consistent(&mutex);
  }
  void Unlock() { ::pthread_mutex_unlock(&mutex); }

  // With the mutex.
  void Append(RecordHead head, std::string_view name = {}, std::string_view data = {}) {
    head.name_size = static_cast<uint32_t>(name.size());
    head.data_size = data.size();
    if (used + sizeof head + name.size() + data.size() > kAreaBytes) {
      overflowed = true;
      return;
    }
    char* to = reinterpret_cast<char*>(this) + used;
    std::memcpy(to, &head, sizeof head);
    std::memcpy(to + sizeof head, name.data(), name.size());
    std::memcpy(to + sizeof head + name.size(), data.data(), data.size());
    used += sizeof head + name.size() + data.size();
  }
};

static_assert(sizeof(RecordArea) <= kRecordsBegin);

}  // namespace trims::test

#endif  // TRIMS_TESTS_E2E_STORE_RECORD_AREA_H_
