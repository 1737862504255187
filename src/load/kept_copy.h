// KeptCopy: what is fetched from a network for an image, written to this node's disk while it comes, out of
// the segment's own pages and past the page cache. Whoever waits for the segment waits for the disk's room and for one
// write at most.
//
//   TRIMS_ASSIGN_OR_RETURN(auto copy, KeptCopy::Start({image, prepared_root, missing, &cancel}, writers));
//   copy->Ready(0, end);                             // the first bytes of extent 0 won't change any more
//   { const KeptCopy::Pause pause(copy.get()); …; }  // seal: no write is in flight meanwhile
//   TRIMS_RETURN_IF_ERROR(copy->Finish());           // all has been verified: durable, under its names
//
// A thread of its own writes. Until Finish() has named them the files are called kUnfinishedPrefix and a
// number. What ends before stays for the next copy, as far as it is durable (load/copy_journal.h), but for what can't be
// written and what was discarded. It keeps the extents' memory until it ends.
// Thread-safety: one thread at a time.
#ifndef TRIMS_LOAD_KEPT_COPY_H_
#define TRIMS_LOAD_KEPT_COPY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "base/direct_file.h"
#include "base/mapping.h"
#include "base/mutex.h"
#include "base/random_access.h"
#include "format/image.h"
#include "load/copy_journal.h"
#include "store/host_memory.h"

namespace trims {

class KeptCopy {
 public:
  struct Options {
    const Image& image;
    std::string prepared_root;             // absolute, in which the image's folder is
    const std::set<std::string>& missing;  // the files to be written, in that folder
    CancelToken* cancel = nullptr;         // outlives the copy
  };
  // `writers` are the image's extents. RESOURCE_EXHAUSTED: the disk has not the room, or no descriptors or
  // threads; ALREADY_EXISTS: another copy of this image is being written.
  static Result<std::unique_ptr<KeptCopy>> Start(const Options& options,
                                                 const std::vector<ExtentWriter>& writers);
  ~KeptCopy();
  KeptCopy(const KeptCopy&) = delete;
  KeptCopy& operator=(const KeptCopy&) = delete;

  // Whether an earlier copy has left the bytes of a file that is to be written, up to `end` of an extent: they are
  // here, and as right as what comes from the source. Then, that file.
  bool Has(const std::string& path, size_t extent, uint64_t end) const;
  Result<std::unique_ptr<RandomAccess>> OpenLeft(const std::string& path) const;

  // The first `end` bytes of an extent are what they will be; `end` only rises.
  void Ready(size_t extent, uint64_t end);

  // While one lives, nothing is read out of the extents.
  class Pause {
   public:
    explicit Pause(KeptCopy* copy) : copy_(copy) {  // nullptr: nothing
      if (copy_ != nullptr) copy_->SetPaused(true);
    }
    ~Pause() {
      if (copy_ != nullptr) copy_->SetPaused(false);
    }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    KeptCopy* const copy_;
  };

  // Once, when every extent is ready to its end and is what it should be. Waits for the disk. Afterwards
  // the memory is free. CANCELLED; errors as of write(2).
  Status Finish();

  // The bytes are not what they should be: nothing of them stays.
  void Discard();

 private:
  struct File {
    std::string path;        // in the folder
    std::string unfinished;  // absolute; empty once it has its name
    DirectFile file = {};
  };
  // Bytes of an extent that belong into a file.
  struct Part {
    size_t extent = 0;
    uint64_t at = 0;
    uint64_t length = 0;
    File* file = nullptr;
    uint64_t offset = 0;
  };

  KeptCopy(std::string folder, CopyJournal journal)
      : folder_(std::move(folder)), journal_(std::move(journal)) {}
  Status OpenFiles(const Options& options);
  Status OpenFile(const std::string& path, size_t number, uint64_t length, bool* left);
  Status StartAnew(const std::map<std::string, uint64_t>& lengths);
  Status MapExtents(const std::vector<ExtentWriter>& writers);
  void CollectParts(const Image& image);

  void Run();
  // The next part of a part that is ready; waits for it. One of no length: there is time to note what was written.
  // False: all is written, or it was stopped.
  bool Next(Part* step);
  bool TakeStep(Part* step) TRIMS_REQUIRES(mutex_);
  void Wrote(const Status& status);
  Status Write(const Part& step);
  Status NoteWritten();
  Status Sync(const File& file) const;
  void SetPaused(bool paused);
  void Stop();
  Status NameAll();
  Status Name(File* file) const;

  const std::string folder_;
  CopyJournal journal_;                // the thread's while that runs
  std::map<std::string, File> files_;  // by path; their places are constant
  std::vector<Mapping> extents_;
  std::vector<Part> parts_;  // in the order in which they are filled, without those that are left
  CopyReach left_;           // by an earlier copy

  // The thread's.
  CopyReach written_;
  uint64_t unnoted_ = 0;  // bytes written since the last note

  Mutex mutex_;
  CondVar changed_;
  std::vector<uint64_t> ready_ TRIMS_GUARDED_BY(mutex_);
  size_t next_part_ TRIMS_GUARDED_BY(mutex_) = 0;
  uint64_t next_at_ TRIMS_GUARDED_BY(mutex_) = 0;  // within that part
  bool writing_ TRIMS_GUARDED_BY(mutex_) = false;
  bool paused_ TRIMS_GUARDED_BY(mutex_) = false;
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;
  bool discarded_ TRIMS_GUARDED_BY(mutex_) = false;
  Status status_ TRIMS_GUARDED_BY(mutex_);

  std::thread thread_;
  std::optional<CancelToken::Watch> watch_;
};

}  // namespace trims

#endif  // TRIMS_LOAD_KEPT_COPY_H_
