// FillFeed: a fill that somebody follows while it goes on: the tier above copies what has arrived while the
// rest is still coming.
//
// The filling thread says what an attempt fills and how far that is; a second attempt begins anew. Whoever
// follows may copy what is ready, but nothing of it is verified before the feed has ended well: whoever shares
// a copy waits for that.
//
//   feed.Begin({.index = …, .extents = …});      // fills
//   feed.Ready(0, 4 << 20);
//   feed.End(Status());
//
//   FillFeed::Seen seen = feed.Next(attempt, extent, offset, token);      // follows
//
// Thread-safety: safe; one thread fills, any number follow.
#ifndef TRIMS_LOAD_FILL_FEED_H_
#define TRIMS_LOAD_FILL_FEED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "trims/status.h"

#include "base/cancel_token.h"
#include "base/mutex.h"
#include "store/resident_bytes.h"

namespace trims {

// What one attempt fills, as descriptors that can only be read.
struct FedBytes {
  Handle index;  // complete, and checked
  std::vector<Handle> extents;
};

class FillFeed {
 public:
  struct Seen {
    uint64_t attempt = 0;  // from 1 on
    std::shared_ptr<const FedBytes> bytes;
    uint64_t ready = 0;             // of the extent that was asked for, from its beginning
    std::optional<Status> verdict;  // once the fill has ended, which may be before it began
  };

  FillFeed() = default;
  FillFeed(const FillFeed&) = delete;
  FillFeed& operator=(const FillFeed&) = delete;

  // By the filling thread.
  void Begin(FedBytes bytes);
  void Ready(size_t extent, uint64_t end);  // `end` only rises, within an attempt
  void End(const Status& verdict);          // once; nothing comes after it

  // Waits until something is new for whoever has copied `offset` bytes of `extent` of `attempt` (0: nothing
  // yet): another attempt, more bytes, the end, or that `stop` was cancelled, whose watch calls Wake().
  Seen Next(uint64_t attempt, size_t extent, uint64_t offset, const CancelToken& stop);
  // Likewise for the end, or another attempt.
  Seen Verdict(uint64_t attempt, const CancelToken& stop);
  void Wake();

 private:
  Seen See(size_t extent) const TRIMS_REQUIRES(mutex_);

  Mutex mutex_;
  CondVar changed_;
  uint64_t attempt_ TRIMS_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<const FedBytes> bytes_ TRIMS_GUARDED_BY(mutex_);
  std::vector<uint64_t> ready_ TRIMS_GUARDED_BY(mutex_);
  std::optional<Status> verdict_ TRIMS_GUARDED_BY(mutex_);
};

}  // namespace trims

#endif  // TRIMS_LOAD_FILL_FEED_H_
