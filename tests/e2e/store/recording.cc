#include "e2e/store/recording.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/unique_fd.h"

namespace trims::test {
namespace {

// The daemon gives its children no environment of its own.
std::string PreparerScript(const std::string& record) {
  return "#!/bin/sh\nLD_PRELOAD='" + std::string(RECORDER_LIBRARY) + "' TRIMS_RECORD='" + record +
         "' exec '" + std::string(TRIMS_PREPARE_PROGRAM) + "' \"$@\"\n";
}

Mapping MapArea(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  EXPECT_EQ(::ftruncate(fd.get(), kAreaBytes), 0);
  return *Mapping::OfFile(fd.get(), kAreaBytes, PROT_READ | PROT_WRITE);
}

void InitialiseMutex(pthread_mutex_t* mutex) {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutex_init(mutex, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
}

// The record at `at`, and where the next one begins.
std::pair<Record, uint64_t> ReadRecord(const char* area, uint64_t at) {
  RecordHead head{};
  std::memcpy(&head, area + at, sizeof head);
  const char* const name = area + at + sizeof head;
  return {{.change = head.change,
           .file = head.file,
           .folder = head.folder,
           .other_folder = head.other_folder,
           .number = head.number,
           .name = {name, head.name_size},
           .data = {name + head.name_size, head.data_size}},
          at + sizeof head + head.name_size + head.data_size};
}

}  // namespace

Recording::Recording(const std::string& folder, const std::string& root)
    : file_(folder + "/record"), preparer_(folder + "/preparer"), map_(MapArea(file_)) {
  std::ofstream(preparer_) << PreparerScript(file_);
  std::filesystem::permissions(preparer_, std::filesystem::perms::owner_all);
  InitialiseMutex(&area().mutex);
  area().used = kRecordsBegin;
  std::snprintf(area().root, sizeof area().root, "%s", root.c_str());
}

Recording::~Recording() { ::unlink(file_.c_str()); }

std::vector<std::string> Recording::environment() const {
  return {"LD_PRELOAD=" + std::string(RECORDER_LIBRARY), "TRIMS_RECORD=" + file_};
}

uint64_t Recording::size() const {
  area().Lock();
  const uint64_t used = area().used;
  area().Unlock();
  return used;
}

void Recording::Rewind() {
  area().Lock();
  area().used = kRecordsBegin;
  area().Unlock();
}

std::vector<Record> Recording::Records() const {
  EXPECT_FALSE(area().overflowed) << "the record has become too long";
  std::vector<Record> records;
  for (uint64_t at = kRecordsBegin; at < area().used;) {
    const auto [record, next] = ReadRecord(reinterpret_cast<const char*>(map_.data()), at);
    records.push_back(record);
    at = next;
  }
  return records;
}

std::vector<uint64_t> Recording::Ends() const {
  std::vector<uint64_t> ends;
  for (uint64_t at = kRecordsBegin; at < area().used;) {
    at = ReadRecord(reinterpret_cast<const char*>(map_.data()), at).second;
    ends.push_back(at);
  }
  return ends;
}

void Recording::FailChanges(int error, int64_t after) {
  area().synced[0] = '\0';
  area().changes_left.store(after);
  area().error.store(error);
}

void Recording::FailSyncs(const std::string& suffix, int error) {
  FailChanges(0);
  std::snprintf(area().synced, sizeof area().synced, "%s", suffix.c_str());
  area().error.store(error);
}

void Recording::Damage(const std::string& path, uint64_t offset) {
  area().Lock();
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat state {};
  char byte = 0;
  if (fd && ::fstat(fd.get(), &state) == 0 &&
      ::pread(fd.get(), &byte, 1, static_cast<off_t>(offset)) == 1) {
    byte = static_cast<char>(~byte);
    EXPECT_EQ(::pwrite(fd.get(), &byte, 1, static_cast<off_t>(offset)), 1);
    area().Append({.change = Change::kWrite, .file = state.st_ino, .number = offset}, {},
                  {&byte, 1});
    area().Append({.change = Change::kSync, .file = state.st_ino});
  }
  area().Unlock();
}

}  // namespace trims::test
