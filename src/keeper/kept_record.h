// KeptRecord: what a daemon writes down of a segment that it gives to its keeper, for the next daemon to know it by.
//
// The digests of a segment were compared when it was filled; then it was sealed. So the next daemon need not read a
// byte of it, if it can be sure that what it is handed are the same memfds. That is what stands here: device and
// inode, which no other file has as long as the memfd lives, and the time of the inode's last change, which every
// change of its mode, owner or links moves, and no seal allows one of its content. A record is a file in a folder
// that only the daemon's user may write, named by the label of the segment: the keeper's word alone is nothing.
//
//   KeptRecords records(data + "/kept");
//   TRIMS_RETURN_IF_ERROR(records.Write(label, record));
//
// Thread-safety: values, and distinct labels.
#ifndef TRIMS_KEEPER_KEPT_RECORD_H_
#define TRIMS_KEEPER_KEPT_RECORD_H_

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trims/status.h"

namespace trims {

// One memfd.
struct KeptFile {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t changed_seconds = 0;
  int64_t changed_nanoseconds = 0;
  uint64_t length = 0;  // of the content, in bytes

  friend bool operator==(const KeptFile&, const KeptFile&) = default;
};

// What `fd` is now. INVALID_ARGUMENT: no regular file.
Result<KeptFile> KeptFileOf(int fd, uint64_t length);

struct KeptRecord {
  std::chrono::microseconds load_time{0};  // what the load took
  std::string model;  // for which it was loaded, of those that have this content; empty: not known
  KeptFile index;
  std::vector<KeptFile> extents;  // in their order

  friend bool operator==(const KeptRecord&, const KeptRecord&) = default;
};

std::string FormatKeptRecord(const KeptRecord& record);
// INVALID_ARGUMENT: not what FormatKeptRecord() gives.
Result<KeptRecord> ParseKeptRecord(std::string_view text);

// Labels are as CheckLabel() wants them (keeper_protocol.h): another names no file, whoever says it. INVALID_ARGUMENT.
class KeptRecords {
 public:
  explicit KeptRecords(std::string folder) : folder_(std::move(folder)) {}

  // Makes the folder, if it isn't there.
  Status MakeFolder() const;
  // In one step: there is the old one, or the new one. Not synced: no memfd outlives the machine's crash.
  Status Write(const std::string& label, const KeptRecord& record) const;
  // NOT_FOUND, or as ParseKeptRecord.
  Result<KeptRecord> Read(const std::string& label) const;
  void Remove(const std::string& label) const;
  // Whatever else is in the folder goes.
  void RemoveAllBut(const std::set<std::string>& labels) const;

 private:
  std::string PathOf(const std::string& label) const { return folder_ + "/" + label; }
  const std::string folder_;
};

}  // namespace trims

#endif  // TRIMS_KEEPER_KEPT_RECORD_H_
