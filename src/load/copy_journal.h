// CopyJournal: how far a copy that is being written (load/kept_copy.h) has come on the disk, beside it in the image's
// folder: for the next load, if this one is cut off.
//
//   TRIMS_ASSIGN_OR_RETURN(CopyJournal journal, CopyJournal::Open(folder));
//   journal.reached();              // of an earlier attempt
//   …; fdatasync(copy); journal.Note({.extent = 0, .end = 8 << 20});
//
// Text: "trims-copy 1", and a line "<extent> <end>" whenever more is durable; the last whole one counts. The folder
// is named for its content, digests and all, so that bytes in it are of no other object; what a crash tore the load's
// digests find out.
// Open, it keeps others from writing a copy into that folder. Thread-safety: one thread at a time.
#ifndef TRIMS_LOAD_COPY_JOURNAL_H_
#define TRIMS_LOAD_COPY_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

// All that was to be written of the extents before this one, and of this one's first `end` bytes.
struct CopyReach {
  size_t extent = 0;
  uint64_t end = 0;

  bool Covers(size_t other, uint64_t other_end) const {
    return other < extent || (other == extent && other_end <= end);
  }
  friend bool operator==(const CopyReach&, const CopyReach&) = default;
};

class CopyJournal {
 public:
  // ALREADY_EXISTS: somebody else has it open; errors as open(2)'s.
  static Result<CopyJournal> Open(const std::string& folder);

  // {0, 0}: nothing, or nothing that can be told.
  const CopyReach& reached() const { return reached_; }
  // Nothing that is there counts any more.
  Status StartAnew();
  // What can't be noted is written again after a crash, and that is all.
  void Note(const CopyReach& reached);
  // The copy is complete, or of no use.
  void Remove();

 private:
  CopyJournal(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Status Lock() const;
  void Read();

  UniqueFd fd_;
  std::string path_;
  CopyReach reached_;
  bool torn_ = false;  // a line is, perhaps: another one would go on with it
};

}  // namespace trims

#endif  // TRIMS_LOAD_COPY_JOURNAL_H_
