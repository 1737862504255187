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
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <thread>

#include "trims/status.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "transfer/curl_handles.h"
#include "transfer/http.h"
#include "transfer/range_transfer.h"

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
  ~RangeFetcher();
  RangeFetcher(const RangeFetcher&) = delete;
  RangeFetcher& operator=(const RangeFetcher&) = delete;

  size_t depth() const { return options_.depth; }
  // Submitted and not reaped.
  size_t in_flight() const { return in_flight_; }
  bool full() const { return in_flight_ >= options_.depth; }

  // Not while full().
  void Submit(RangeRequest request);
  // The next range that ends; waits for it. Not while nothing is in flight.
  RangeDone Wait();
  // All that is in flight, or will be, ends as CANCELLED.
  void Cancel();

 private:
  using Transfer = std::unique_ptr<RangeTransfer>;

  RangeFetcher(const RangeFetcherOptions& options, CurlMulti multi);

  // The thread's.
  void Run();
  bool TakeSubmitted();
  void BeginDue();
  void Begin(Transfer transfer);
  void ReapEnded();
  void EndStalled();
  void Ended(Transfer transfer, const RangeTransfer::Ending& ending);
  void GiveUpAll();
  void Tell(size_t tag, const Status& status);
  TimePoint NextAt();
  int PollMilliseconds();

  const RangeFetcherOptions options_;
  const RangePace pace_;  // of each range
  CurlMulti multi_;
  size_t in_flight_ = 0;

  // The thread's own.
  std::map<CURL*, Transfer> running_;
  std::multimap<TimePoint, Transfer> due_;  // for another attempt
  SteadyClock clock_;
  std::mt19937_64 random_{std::random_device{}()};

  Mutex mutex_;
  CondVar ended_changed_;
  std::deque<Transfer> submitted_ TRIMS_GUARDED_BY(mutex_);
  std::deque<RangeDone> ended_ TRIMS_GUARDED_BY(mutex_);
  bool cancelled_ TRIMS_GUARDED_BY(mutex_) = false;
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // the first to go
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_RANGE_FETCHER_H_
