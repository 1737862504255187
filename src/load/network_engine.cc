#include "load/network_engine.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "source/remote_bytes.h"
#include "transfer/range_fetcher.h"

namespace trims {
namespace {

// A range's way there and back costs as much as some hundred kilobytes, a copy nearly nothing.
constexpr uint64_t kWorthARange = uint64_t{1} << 20;
constexpr uint64_t kMostBetween = uint64_t{64} << 10;
// Of what is gathered; as many of them are in memory as there are ranges in flight.
constexpr uint64_t kMostGathered = uint64_t{4} << 20;
// What waits beyond those in flight, so that a range follows another at once.
constexpr size_t kWaiting = 16;

// Reads of one file that are fetched as one range: one alone straight to where it belongs.
class Gathered {
 public:
  Gathered(ReadRequest first, std::shared_ptr<const RemoteBytes> file)
      : file_(std::move(file)), offset_(first.offset) {
    reads_.push_back(std::move(first));
  }

  const RemoteBytes& file() const { return *file_; }

  bool Takes(const ReadRequest& next) const {
    if (next.file.get() != file_.get()) return false;
    if (IsLarge(next) || IsLarge(reads_.back())) return false;
    const uint64_t end = End();
    return next.offset >= end && next.offset - end <= kMostBetween &&
           next.offset + next.destination.size() - offset_ <= kMostGathered;
  }
  void Add(ReadRequest next) { reads_.push_back(std::move(next)); }

  const std::shared_ptr<const HttpObject>& object() const { return object_; }

  RangeRequest Range(std::shared_ptr<const HttpObject> object, size_t tag) {
    object_ = object;
    if (reads_.size() > 1) buffer_.resize(End() - offset_);
    return {.object = std::move(object),
            .offset = offset_,
            .destination = reads_.size() > 1 ? std::span(buffer_) : reads_.front().destination,
            .tag = tag};
  }

  // To where they belong; how each has ended.
  void Finish(const Status& status, std::deque<ReadDone>* ended) {
    for (const ReadRequest& read : reads_) {
      if (status.ok() && !buffer_.empty()) {
        const auto from = std::span(buffer_).subspan(read.offset - offset_);
        std::copy_n(from.begin(), read.destination.size(), read.destination.begin());
      }
      ended->push_back({read.tag, status});
    }
  }

 private:
  static bool IsLarge(const ReadRequest& read) { return read.destination.size() >= kWorthARange; }
  uint64_t End() const { return reads_.back().offset + reads_.back().destination.size(); }

  std::shared_ptr<const RemoteBytes> file_;
  std::shared_ptr<const HttpObject> object_;  // that was asked for last
  uint64_t offset_ = 0;
  std::vector<ReadRequest> reads_;  // ascending
  std::vector<std::byte> buffer_;   // while in flight; empty for one read alone
};

class NetworkEngine final : public ReadEngine {
 public:
  NetworkEngine(std::unique_ptr<RangeFetcher> fetcher, CancelToken* cancel)
      : flights_(fetcher->depth()),
        fetcher_(std::move(fetcher)),
        watch_(cancel, [this] { fetcher_->Cancel(); }) {}

  size_t depth() const override { return fetcher_->depth() + kWaiting; }
  size_t in_flight() const override { return in_flight_; }
  bool full() const override { return waiting_.size() > kWaiting; }  // however many reads those are

  void Submit(ReadRequest request) override {
    ++in_flight_;
    auto file = std::dynamic_pointer_cast<const RemoteBytes>(request.file);
    if (file == nullptr) {
      const Status status = request.file->ReadAt(request.offset, request.destination);
      ended_.push_back({request.tag, status});
    } else if (Status status = file->CheckRange(request.offset, request.destination.size());
               !status.ok()) {
      ended_.push_back({request.tag, std::move(status)});
    } else if (!waiting_.empty() && waiting_.back().Takes(request)) {
      waiting_.back().Add(std::move(request));
    } else {
      waiting_.emplace_back(std::move(request), std::move(file));
      FillFetcher();
    }
  }

  ReadDone Wait() override {
    while (ended_.empty()) {
      FillFetcher();
      if (!waiting_.empty() && !fetcher_->full()) FetchNext();  // who waits has no more to add now
      Reap();
    }
    const ReadDone done = ended_.front();
    ended_.pop_front();
    --in_flight_;
    return done;
  }

 private:
  // But not with the last of them, which others may join.
  void FillFetcher() {
    while (waiting_.size() > 1 && !fetcher_->full()) FetchNext();
  }

  void FetchNext() {
    const auto free =
        std::find_if(flights_.begin(), flights_.end(), [](const auto& flight) { return !flight; });
    free->emplace(std::move(waiting_.front()));
    waiting_.pop_front();
    Fetch(static_cast<size_t>(free - flights_.begin()), (*free)->file().object());
  }

  void Fetch(size_t flight, std::shared_ptr<const HttpObject> object) {
    fetcher_->Submit(flights_[flight]->Range(std::move(object), flight));
  }

  void Reap() {
    const RangeDone done = fetcher_->Wait();
    std::optional<Gathered>& flight = flights_[done.tag];
    Status status = done.status;
    if (status.code() == StatusCode::kPermissionDenied) {
      const Result<std::shared_ptr<const HttpObject>> renewed =
          flight->file().Renew(flight->object(), status);
      if (renewed.ok()) return Fetch(done.tag, *renewed);
      status = renewed.status();
    }
    flight->Finish(status, &ended_);
    flight.reset();
  }

  size_t in_flight_ = 0;          // requests
  std::deque<Gathered> waiting_;  // for a place in the fetcher; the last may still grow
  std::vector<std::optional<Gathered>> flights_;  // by tag
  std::deque<ReadDone> ended_;
  const std::unique_ptr<RangeFetcher> fetcher_;  // before what it writes to
  const CancelToken::Watch watch_;               // the first to go
};

}  // namespace

Result<std::unique_ptr<ReadEngine>> MakeNetworkEngine(const NetworkOptions& options,
                                                      CancelToken* cancel) {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<RangeFetcher> fetcher,
                         RangeFetcher::Start({.depth = options.concurrency,
                                              .bytes_per_second = options.bytes_per_second,
                                              .patience = options.patience}));
  return std::unique_ptr<ReadEngine>(std::make_unique<NetworkEngine>(std::move(fetcher), cancel));
}

}  // namespace trims
