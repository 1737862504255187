// TransferLoop: the thread that moves the bytes of transfers, several at a time, and tries again what
// passes, each after its own pause.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto loop, TransferLoop::Start({.depth = 4}));
//   loop->Submit(std::make_unique<RangeTransfer>(object, 0, bytes, 7));
//   const TransferDone done = loop->Wait();  // done.transfer->tag() == 7
//
//   - Each submitted transfer ends exactly once, in any order.
//   - What it borrows has to be there until it is reaped.
//   - Destruction gives up what is in flight, and waits until nothing moves any more.
// Connections are kept and used again. Thread-safety: one thread submits, reaps and destroys; Cancel()
// from any.
#ifndef TRIMS_TRANSFER_TRANSFER_LOOP_H_
#define TRIMS_TRANSFER_TRANSFER_LOOP_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "trims/status.h"

#include "base/clock.h"
#include "base/mutex.h"
#include "transfer/curl_handles.h"
#include "transfer/http.h"
#include "transfer/transfer.h"

namespace trims {

struct TransferLoopOptions {
  size_t depth = 8;               // transfers in flight
  uint64_t bytes_per_second = 0;  // of all of them; 0: no limit
  HttpPatience patience = {};
  std::string what = "the transfer";  // as the error of one that was cancelled names it
};

struct TransferDone {
  std::unique_ptr<Transfer> transfer;
  Status status;
};

class TransferLoop {
 public:
  // RESOURCE_EXHAUSTED: no thread, no memory.
  static Result<std::unique_ptr<TransferLoop>> Start(const TransferLoopOptions& options);
  ~TransferLoop();
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  size_t depth() const { return options_.depth; }
  // Submitted and not reaped.
  size_t in_flight() const { return in_flight_; }

  // Not while as many are in flight as there may be.
  void Submit(std::unique_ptr<Transfer> transfer);
  // The next one that ends; waits for it. Not while nothing is in flight.
  TransferDone Wait();
  // All that is in flight, or will be, ends as CANCELLED.
  void Cancel();

 private:
  using TransferPtr = std::unique_ptr<Transfer>;

  TransferLoop(const TransferLoopOptions& options, CurlMulti multi);

  // The thread's.
  void Run();
  bool TakeSubmitted();
  void BeginDue();
  void Begin(TransferPtr transfer);
  void ReapEnded();
  void EndStalled();
  void Ended(TransferPtr transfer, const TransferEnding& ending);
  void GiveUpAll();
  void Tell(TransferPtr transfer, const Status& status);
  TimePoint NextAt();
  int PollMilliseconds();

  const TransferLoopOptions options_;
  const TransferPace pace_;  // of each transfer
  CurlMulti multi_;
  size_t in_flight_ = 0;

  // The thread's own.
  std::map<CURL*, TransferPtr> running_;
  std::multimap<TimePoint, TransferPtr> due_;  // for another attempt
  SteadyClock clock_;
  std::mt19937_64 random_{std::random_device{}()};

  Mutex mutex_;
  CondVar ended_changed_;
  std::deque<TransferPtr> submitted_ TRIMS_GUARDED_BY(mutex_);
  std::deque<TransferDone> ended_ TRIMS_GUARDED_BY(mutex_);
  bool cancelled_ TRIMS_GUARDED_BY(mutex_) = false;
  bool stopped_ TRIMS_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // the first to go
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_TRANSFER_LOOP_H_
