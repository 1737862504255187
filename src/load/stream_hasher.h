// StreamHasher: the SHA-256 of bytes in memory as one stream, while they still come.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto hasher, StreamHasher::Start(bytes));
//   hasher->Ready(4 << 20);                   // the first 4 MiB won't change any more
//   hasher->Ready(bytes.size());
//   const std::string sha256 = hasher->Finish();
//
// A thread of its own hashes: one stream is what a model's file is known by, and can't be shared out. Destroyed
// early, it stops. Thread-safety: one thread.
#ifndef TRIMS_LOAD_STREAM_HASHER_H_
#define TRIMS_LOAD_STREAM_HASHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "trims/status.h"

#include "base/mutex.h"
#include "base/sha256.h"

namespace trims {

class StreamHasher {
 public:
  // Borrows the bytes. RESOURCE_EXHAUSTED: no thread.
  static Result<std::unique_ptr<StreamHasher>> Start(std::span<const std::byte> bytes);
  ~StreamHasher();
  StreamHasher(const StreamHasher&) = delete;
  StreamHasher& operator=(const StreamHasher&) = delete;

  // The first `end` bytes are what they will be; `end` only rises.
  void Ready(uint64_t end);
  // Once, when all are ready: 64 hexadecimal digits. Waits.
  std::string Finish();

 private:
  explicit StreamHasher(std::span<const std::byte> bytes) : bytes_(bytes) {}
  void Run();
  // Waits until more than `done` bytes are ready: how many. None: it was stopped.
  uint64_t ReadyBeyond(uint64_t done);

  const std::span<const std::byte> bytes_;
  Sha256 hash_;  // the thread's until it is joined

  Mutex mutex_;
  CondVar changed_;
  uint64_t ready_ TRIMS_GUARDED_BY(mutex_) = 0;
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace trims

#endif  // TRIMS_LOAD_STREAM_HASHER_H_
