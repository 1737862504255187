// ReadEngine: reads that are submitted, several at a time, and reaped as they end.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<ReadEngine> engine, MakePreadEngine(2));
//   engine->Submit({.file = file, .offset = 0, .destination = bytes, .tag = 7});
//   const ReadDone done = engine->Wait();  // done.tag == 7
//   TRIMS_RETURN_IF_ERROR(done.status);
//
// What an implementation has to keep to, whatever does the reading:
//   - each submitted read ends exactly once, in any order, well or not; one that fails says so in its
//     ReadDone and touches no other;
//   - until it is reaped, the file is kept open and the destination, which is the caller's, may be
//     written to; from then on neither is touched. So the caller keeps the destination until then;
//   - destruction waits until nothing is in flight: the kernel, or a thread, may be writing;
//   - files are read by their RandomAccess::ReadAt, or so that the same bytes and errors come;
//   - what can fail goes through base/sys.h, so that tests can make it.
//
// Thread-safety: one thread at a time submits, reaps and destroys.
#ifndef TRIMS_LOAD_READ_ENGINE_H_
#define TRIMS_LOAD_READ_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "trims/status.h"

#include "base/random_access.h"

namespace trims {

struct ReadRequest {
  std::shared_ptr<const RandomAccess> file;
  uint64_t offset = 0;
  std::span<std::byte> destination;  // not empty
  size_t tag = 0;                    // the caller's; comes back
};

struct ReadDone {
  size_t tag = 0;
  Status status;  // as of RandomAccess::ReadAt
};

class ReadEngine {
 public:
  virtual ~ReadEngine() = default;

  // How many reads may be in flight, at least: submitted and not reaped.
  virtual size_t depth() const = 0;
  virtual size_t in_flight() const = 0;
  virtual bool full() const { return in_flight() >= depth(); }

  // Not while full(). Returns at once, except that an engine without threads reads here.
  virtual void Submit(ReadRequest request) = 0;
  // The next read that ends; waits for it. Not while nothing is in flight.
  virtual ReadDone Wait() = 0;
};

enum class ReadEngineKind { kUring, kPread };
std::string_view ReadEngineName(ReadEngineKind kind);  // "uring", "pread"

// The better of the engines that this process may use, and why it is not the best.
struct ReadEngineSupport {
  ReadEngineKind kind = ReadEngineKind::kPread;
  Status uring;  // OK: a ring could be made
};
ReadEngineSupport ProbeReadEngine();

// An engine for one load. `threads` are those of kPread, and of kUring where no ring is to be had now.
Result<std::unique_ptr<ReadEngine>> MakeReadEngine(ReadEngineKind kind, int threads);

// Reads by io_uring(7) on no thread but the caller's: past the page cache what isn't in it, from there
// what is; whatever the kernel doesn't read whole is read again by ReadAt(). Errors as Uring::Create's.
Result<std::unique_ptr<ReadEngine>> MakeUringEngine();

// Reads on `threads` threads of its own; with 0 on the thread that submits, for segments so small
// that starting threads costs more than they save. RESOURCE_EXHAUSTED: the system has no threads.
Result<std::unique_ptr<ReadEngine>> MakePreadEngine(int threads);

}  // namespace trims

#endif  // TRIMS_LOAD_READ_ENGINE_H_
