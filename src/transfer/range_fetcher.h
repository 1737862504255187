// RangeFetcher: ranges of objects on HTTP servers, several at a time, straight into the caller's memory.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto fetcher, RangeFetcher::Start({}));
//   fetcher->Submit({.object = object, .offset = 0, .destination = bytes, .tag = 7});
//   const RangeDone done = fetcher->Wait();  // done.tag == 7
//   TRIMS_RETURN_IF_ERROR(done.status);
//
// A thread of its own moves the bytes, so that they keep coming while the caller does something else. What
// passes is tried again, range by range, from the byte that was reached; the rest ends that range with the
// reason, which names the URL and what was asked for. A range that merely drips passes, too, so that each
// ends in a time that HttpPatience bounds.
//   - Each submitted range ends exactly once, in any order.
//   - Until it is reaped the destination, which is the caller's, is written to; from then on it isn't.
//   - Destruction gives up what is in flight, and waits until nothing writes any more.
// Connections are kept and used again. Thread-safety: one thread submits, reaps and destroys; Cancel()
// from any.
#ifndef TRIMS_TRANSFER_RANGE_FETCHER_H_
#define TRIMS_TRANSFER_RANGE_FETCHER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "trims/status.h"

#include "transfer/http.h"
#include "transfer/range_transfer.h"
#include "transfer/transfer_loop.h"

namespace trims {

struct RangeRequest {
  std::shared_ptr<const HttpObject> object;
  uint64_t offset = 0;
  std::span<std::byte> destination;  // not empty, and within the object
  size_t tag = 0;                    // the caller's; comes back
};

struct RangeDone {
  size_t tag = 0;
  Status status;
};

struct RangeFetcherOptions {
  size_t depth = 8;               // ranges in flight
  uint64_t bytes_per_second = 0;  // of all of them; 0: no limit
  HttpPatience patience = {};
};

class RangeFetcher {
 public:
  // RESOURCE_EXHAUSTED: no thread, no memory.
  static Result<std::unique_ptr<RangeFetcher>> Start(const RangeFetcherOptions& options);
  RangeFetcher(const RangeFetcher&) = delete;
  RangeFetcher& operator=(const RangeFetcher&) = delete;

  size_t depth() const { return loop_->depth(); }
  // Submitted and not reaped.
  size_t in_flight() const { return loop_->in_flight(); }
  bool full() const { return in_flight() >= depth(); }

  // Not while full().
  void Submit(RangeRequest request);
  // The next range that ends; waits for it. Not while nothing is in flight.
  RangeDone Wait();
  // All that is in flight, or will be, ends as CANCELLED.
  void Cancel() { loop_->Cancel(); }

 private:
  explicit RangeFetcher(std::unique_ptr<TransferLoop> loop) : loop_(std::move(loop)) {}

  const std::unique_ptr<TransferLoop> loop_;
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_RANGE_FETCHER_H_
