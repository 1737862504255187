// ExtentHasher: the SHA-256 of extents that are still being filled.
//
// Each extent is hashed in order, as far as it is ready, while the rest of it is read. What no piece
// covers is zero, belongs to the extent and is hashed like everything else.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<ExtentHasher> hasher,
//                          ExtentHasher::Start(extents, 2, control));
//   hasher->Ready(0, 4 << 20);              // the first 4 MiB of extent 0 won't change any more
//   hasher->Ready(0, extents[0].size());
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<std::string> digests, hasher->Finish());
//
// Ownership: the extents are the caller's and outlive it. Destroyed early it stops and waits for its
// threads. Thread-safety: one thread at a time.
#ifndef TRIMS_LOAD_EXTENT_HASHER_H_
#define TRIMS_LOAD_EXTENT_HASHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "trims/status.h"

#include "base/mutex.h"
#include "load/tier.h"

namespace trims {

class ExtentHasher {
 public:
  using Extents = std::vector<std::span<const std::byte>>;

  // Only what is Ready() is touched. With 0 threads all is hashed by Finish(), on its thread.
  // `control` is told what was hashed and says when to stop. RESOURCE_EXHAUSTED: no threads.
  static Result<std::unique_ptr<ExtentHasher>> Start(Extents extents, size_t threads,
                                                     FillControl* control);
  ~ExtentHasher();
  ExtentHasher(const ExtentHasher&) = delete;
  ExtentHasher& operator=(const ExtentHasher&) = delete;

  // The first `end` bytes of an extent are what they will be; `end` only rises.
  void Ready(size_t extent, uint64_t end);

  // Once, when every extent is ready to its end: their SHA-256. CANCELLED by the control.
  Result<std::vector<std::string>> Finish();

 private:
  ExtentHasher(Extents extents, FillControl* control);

  void HashAll();
  void HashExtent(size_t extent);
  bool Claim(size_t* extent);
  // How far the extent is ready, which is more than `hashed`; 0 once there is nothing to wait for.
  uint64_t WaitBeyond(size_t extent, uint64_t hashed);
  void Stop();
  void Join();

  // Constant.
  const Extents extents_;
  FillControl* const control_;
  std::vector<std::thread> threads_;

  std::vector<std::string> digests_;  // each written by the thread that claimed the extent

  Mutex mutex_;
  CondVar changed_;
  std::vector<uint64_t> ready_ TRIMS_GUARDED_BY(mutex_);  // bytes of each extent
  size_t next_extent_ TRIMS_GUARDED_BY(mutex_) = 0;
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;
};

}  // namespace trims

#endif  // TRIMS_LOAD_EXTENT_HASHER_H_
