// ExtentFill: the pipeline that fills a segment's extents and hashes them on the way.
//
// Three stages follow each other through the segment, each as far behind the one before as it must
// be: allocate (steps of 32 MiB), read (chunks of 4 MiB, straight into the extent), hash (a
// finished chunk while the next ones are read). There are no buffers, so nothing can pile up. A
// small segment passes all three on the calling thread; a larger one has a thread for reading and
// one or two for hashing.
//
//   ExtentFill fill(plan, &writers, control);
//   TRIMS_ASSIGN_OR_RETURN(std::vector<std::string> digests, fill.Run());
#ifndef TRIMS_LOAD_EXTENT_FILL_H_
#define TRIMS_LOAD_EXTENT_FILL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "trims/status.h"

#include "base/mutex.h"
#include "base/random_access.h"
#include "base/sha256.h"
#include "load/load_segment.h"
#include "store/host_memory.h"

namespace trims {

class ExtentFill {
 public:
  // The plan has passed CheckLoadPlan; `writers` are its extents, reserved. All outlive this
  // object.
  ExtentFill(const LoadPlan& plan, std::vector<ExtentWriter>* writers, FillControl& control);
  ExtentFill(const ExtentFill&) = delete;
  ExtentFill& operator=(const ExtentFill&) = delete;

  // Once. The SHA-256 of each extent. On failure the first error of any stage; all threads have
  // ended and all files are closed.
  Result<std::vector<std::string>> Run();

 private:
  // Neighbouring pieces of one file; open from its first chunk to its last.
  struct File {
    PieceOrigin origin = PieceOrigin::kPrepared;
    std::string path;
    size_t chunks_left = 0;
    std::shared_ptr<const RandomAccess> bytes;
  };
  struct Chunk {
    size_t file = 0;
    size_t extent = 0;
    uint64_t offset = 0;  // in the file
    uint64_t at = 0;      // in the extent
    uint64_t length = 0;
  };

  void CutIntoChunks();
  void CutPiece(const ManifestPiece& piece, size_t extent);
  void RunThreads();

  void AllocateAll();
  void ReadAll();
  void HashAll();
  Status ReadChunk(const Chunk& chunk);
  bool HashExtent(size_t extent);

  // All of these return at once after a failure: false, or no chunk.
  bool WaitUntilAllocated(size_t extent, uint64_t end);
  bool WaitUntilRead(size_t chunk);
  bool ClaimChunk(size_t* chunk);
  bool ClaimExtent(size_t* extent);
  bool Stopped();
  void Fail(Status status);

  Result<std::shared_ptr<const RandomAccess>> AcquireFile(size_t file);
  void ReleaseFile(size_t file);

  // Constant once Run() has cut the plan up.
  const LoadPlan& plan_;
  std::vector<ExtentWriter>& writers_;
  FillControl& control_;
  std::vector<Chunk> chunks_;         // by extent, then by place
  std::vector<size_t> first_chunk_;   // of each extent, and the end
  std::vector<std::string> digests_;  // each written by the thread that claimed the extent

  Mutex mutex_;
  CondVar changed_;
  Status failure_ TRIMS_GUARDED_BY(mutex_);
  std::vector<uint64_t> allocated_ TRIMS_GUARDED_BY(mutex_);  // bytes of each extent
  std::vector<bool> read_ TRIMS_GUARDED_BY(mutex_);           // by chunk
  size_t next_chunk_ TRIMS_GUARDED_BY(mutex_) = 0;
  size_t next_extent_ TRIMS_GUARDED_BY(mutex_) = 0;

  Mutex files_mutex_;  // held while a file is opened
  std::vector<File> files_ TRIMS_GUARDED_BY(files_mutex_);
};

}  // namespace trims

#endif  // TRIMS_LOAD_EXTENT_FILL_H_
