// PartFile: a file that is being downloaded, as memory: its room on the disk is taken, its pages are mapped,
// and what an earlier attempt has left of it is known.
//
//   TRIMS_ASSIGN_OR_RETURN(PartFile part, PartFile::Open(place, file));
//   for (const uint64_t range : part.missing()) Fetch(part.RangeOf(range));
//   TRIMS_RETURN_IF_ERROR(part.Complete(range));      // its bytes are there
//   TRIMS_RETURN_IF_ERROR(std::move(part).Finish());  // durable, under its own name
//
// With a landing (source/download_landing.h) the ranges are in its memory instead, and a thread writes them to
// the file once they are complete.
//
// It is called "<digits>.part" until then, and "<digits>.ranges" beside it says which ranges are there
// (source/download_journal.h); the digits are of the file's name.
// Thread-safety: one thread at a time; others may write to its ranges.
#ifndef TRIMS_SOURCE_PART_FILE_H_
#define TRIMS_SOURCE_PART_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/mapping.h"
#include "base/unique_fd.h"
#include "source/download.h"
#include "source/download_landing.h"
#include "source/part_writer.h"
#include "source/remote_store.h"

namespace trims {

class PartFile {
 public:
  // `file` has a plain name and at least one byte; the landing, if there is one, outlives this. RESOURCE_EXHAUSTED:
  // the disk has not the room.
  static Result<PartFile> Open(const DownloadPlace& place, const RemoteFile& file,
                               DownloadLanding* landing = nullptr);

  // Whether the file stands under its own name, as the source has it now.
  static bool IsComplete(const DownloadPlace& place, const RemoteFile& file);

  // Numbers of the ranges that were not there when it was opened, ascending.
  const std::vector<uint64_t>& missing() const { return missing_; }
  // Of a landing that reaches so far.
  std::span<std::byte> RangeOf(uint64_t range) const;

  // Notes that the range is there. If that fails, it is fetched again after a crash, and that is all. With a
  // landing, the first error of writing what was completed before.
  Status Complete(uint64_t range);

  // Writes all to the disk and gives the file its name, which is on the disk, too, then. What fails leaves
  // the part for the next attempt.
  Status Finish() &&;
  // What is in it is wrong: the next attempt starts anew.
  void Discard() &&;

 private:
  PartFile() = default;
  Status RemoveOlder();
  Status OpenFile(uint64_t length);
  Status TakeMemory(DownloadLanding* landing, uint64_t length);
  Status OpenJournal(const RemoteFile& file, DownloadLanding* landing);
  Result<bool> IsThere(uint64_t range, uint64_t sum, DownloadLanding* landing) const;
  Status StartWriter();

  std::string files_;  // the folder of complete files
  std::string name_;   // in it
  std::string part_;
  std::string ranges_;
  UniqueFd fd_;
  UniqueFd journal_;  // none: it could not be made, or nothing tells the object from another
  Mapping map_;       // none: the bytes are a landing's
  std::span<std::byte> memory_;  // all of the file's
  std::vector<uint64_t> missing_;
  // With a landing; it has the descriptors of both files then.
  std::unique_ptr<PartWriter> writer_;
};

// Writes to the disk what stands in them, and in `folder` itself.
Status SyncFoldersOf(const std::string& folder, const std::string& name);

}  // namespace trims

#endif  // TRIMS_SOURCE_PART_FILE_H_
