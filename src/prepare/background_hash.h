// BackgroundHash: the digests of a source on a thread of their own, since making a variant takes about
// as long and reads the same pages.
//
//   BackgroundHash hash(context);
//   MakeVariants();
//   TRIMS_ASSIGN_OR_RETURN(const HashedFiles hashed, hash.Wait());
//
// Ended before Wait(), it stops hashing and waits for the thread. Thread-safety: one thread.
#ifndef TRIMS_PREPARE_BACKGROUND_HASH_H_
#define TRIMS_PREPARE_BACKGROUND_HASH_H_

#include <atomic>
#include <thread>

#include "trims/status.h"

#include "prepare/files_variant.h"
#include "prepare/prepare_context.h"

namespace trims {

class BackgroundHash {
 public:
  // Borrows the context's source. Where no thread can be had, Wait() does the work.
  explicit BackgroundHash(const PrepareContext& context);
  ~BackgroundHash();
  BackgroundHash(const BackgroundHash&) = delete;
  BackgroundHash& operator=(const BackgroundHash&) = delete;

  // Once. RESOURCE_EXHAUSTED: memory ran out; else as HashFiles().
  Result<HashedFiles> Wait();

 private:
  void Run();

  const PrepareContext& context_;
  std::atomic<bool> stop_ = false;
  Result<HashedFiles> hashed_;  // the thread's until it is joined
  std::thread thread_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_BACKGROUND_HASH_H_
