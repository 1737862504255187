// Transfer: one request on its way, over as many attempts as it takes: what TransferLoop runs.
//
// An attempt is begun, runs on the loop's thread, and ends by itself or because nothing has come of it for
// too long. Thread-safety: one thread at a time.
#ifndef TRIMS_TRANSFER_TRANSFER_H_
#define TRIMS_TRANSFER_TRANSFER_H_

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "trims/status.h"

#include "base/clock.h"
#include "transfer/http.h"

namespace trims {

// How fast an attempt may be and has to be.
struct TransferPace {
  uint64_t bytes_per_second = 0;  // at most; 0: no limit
  uint64_t bytes_per_stall = 1;   // at least, in each HttpPatience::stall
};

struct TransferEnding {
  Status status;
  bool passing = false;  // another attempt may do better
  std::optional<Duration> retry_after;
};

class Transfer {
 public:
  explicit Transfer(size_t tag) : tag_(tag) {}
  virtual ~Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  size_t tag() const { return tag_; }
  int attempts() const { return attempts_; }

  // The next attempt; its handle, which is this object's, is to be run. RESOURCE_EXHAUSTED.
  virtual Result<CURL*> Begin(const HttpPatience& patience, const TransferPace& pace,
                              TimePoint now) = 0;
  // Looks how far the attempt has come; when it counts as stalled unless it comes on.
  virtual TimePoint StallsAt(TimePoint now) = 0;
  // After the handle has ended with `code`. OK: it has done what it was to do.
  virtual TransferEnding End(CURLcode code) = 0;
  // Instead, if the attempt was given up since it had stalled: DEADLINE_EXCEEDED, and passing.
  virtual TransferEnding EndStalled() = 0;

 protected:
  void CountAttempt() { ++attempts_; }

 private:
  const size_t tag_;
  int attempts_ = 0;
};

// Whether bytes keep moving.
class StallWatch {
 public:
  void Begin(const HttpPatience& patience, const TransferPace& pace, TimePoint now,
             uint64_t reached);
  TimePoint StallsAt(TimePoint now, uint64_t reached);
  // What has happened, in words: "`moved`" is a verb, as "came".
  std::string Words(uint64_t reached, const std::string& moved) const;

 private:
  Duration stall_{};
  uint64_t needed_ = 1;  // bytes in each stall_
  uint64_t marked_ = 0;  // what had been reached when they had last come
  TimePoint stalls_at_;
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_TRANSFER_H_
