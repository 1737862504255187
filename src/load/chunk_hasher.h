// ChunkHasher: the digests of extents that are still being filled.
//
// A chunk (format/chunk_digests.h) is hashed once it is ready, on any thread, while the others are read.
// What no piece covers is zero, belongs to the extent and is hashed like everything else.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<ChunkHasher> hasher,
//                          ChunkHasher::Start({{bytes, DigestKind::kXxh3}}, 1, control));
//   hasher->Ready(0, 4 << 20);              // the first 4 MiB of extent 0 won't change any more
//   hasher->Ready(0, bytes.size());
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<ExtentDigests> digests, hasher->Finish());
//
// Ownership: the extents are the caller's and outlive it. Destroyed early it stops and waits for its
// threads. Thread-safety: one thread at a time.
#ifndef TRIMS_LOAD_CHUNK_HASHER_H_
#define TRIMS_LOAD_CHUNK_HASHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "trims/status.h"

#include "base/mutex.h"
#include "base/sha256.h"
#include "load/tier.h"

namespace trims {

enum class DigestKind : uint8_t {
  kXxh3,    // enough for bytes that only this daemon writes
  kSha256,  // of bytes that others may change, too
  kBoth,    // of bytes that come from elsewhere, and will be checked by their XXH3 from then on
};

// What was asked for.
struct ExtentDigests {
  std::string sha256;          // of the chunks' (TreeDigest)
  std::vector<uint64_t> xxh3;  // of each chunk
};

class ChunkHasher {
 public:
  struct Extent {
    std::span<const std::byte> bytes;
    DigestKind kind = DigestKind::kXxh3;
  };

  // Only what is Ready() is touched. Finish() takes part with its own thread, so with 0 threads all is
  // hashed there. `control` is told what was hashed and says when to stop. RESOURCE_EXHAUSTED: no
  // threads.
  static Result<std::unique_ptr<ChunkHasher>> Start(const std::vector<Extent>& extents,
                                                    size_t threads, FillControl* control);
  ~ChunkHasher();
  ChunkHasher(const ChunkHasher&) = delete;
  ChunkHasher& operator=(const ChunkHasher&) = delete;

  // The first `end` bytes of an extent are what they will be; `end` only rises.
  void Ready(size_t extent, uint64_t end);

  // Once, when every extent is ready to its end. CANCELLED by the control.
  Result<std::vector<ExtentDigests>> Finish();

 private:
  struct State {
    Extent extent;
    std::vector<uint64_t> xxh3;           // by chunk; each written by the thread that claimed it
    std::vector<Sha256::Digest> sha256s;  // likewise; each of them only where the kind wants it
    uint64_t ready = 0;                   // bytes
    size_t next = 0;                      // chunk that nobody has claimed
  };
  struct Claimed {
    State* state = nullptr;
    size_t chunk = 0;
  };

  ChunkHasher(const std::vector<Extent>& extents, FillControl* control);

  void HashAll();
  void Hash(const Claimed& claimed);
  // Waits for a chunk that is ready; false once there is none to come.
  bool Claim(Claimed* claimed);
  bool ClaimReady(Claimed* claimed) TRIMS_REQUIRES(mutex_);
  bool AllClaimed() const TRIMS_REQUIRES(mutex_);
  void Stop();
  void Join();

  FillControl* const control_;
  std::vector<std::thread> threads_;

  Mutex mutex_;
  CondVar changed_;
  // Of each, `ready` and `next` are guarded by the mutex, and the vectors are never resized.
  std::vector<State> states_;
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;
};

}  // namespace trims

#endif  // TRIMS_LOAD_CHUNK_HASHER_H_
