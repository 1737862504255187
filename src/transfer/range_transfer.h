// RangeTransfer: one range of an object on its way into the caller's memory, over as many attempts as it
// takes: each goes on from the byte that the one before has reached.
//
// What the server says is checked before a byte is kept: that it sends the range that was asked for, of an
// object of that length and with that ETag or, where that isn't a strong one, that date. Thread-safety: one thread at a time.
#ifndef TRIMS_TRANSFER_RANGE_TRANSFER_H_
#define TRIMS_TRANSFER_RANGE_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "trims/status.h"

#include "base/clock.h"
#include "transfer/curl_handles.h"
#include "transfer/curl_request.h"
#include "transfer/http.h"
#include "transfer/transfer.h"

namespace trims {

// A whole object, as its list or its head described it.
struct HttpObject {
  HttpRequest request;  // a GET of it
  uint64_t length = 0;
  std::string etag = {};  // with its quotes; empty: the server gave none
  // The header's text. Compared where the ETag is weak or missing; empty: nothing is.
  std::string last_modified = {};
};

class RangeTransfer final : public Transfer {
 public:
  RangeTransfer(std::shared_ptr<const HttpObject> object, uint64_t offset,
                std::span<std::byte> destination, size_t tag)
      : Transfer(tag), object_(std::move(object)), offset_(offset), destination_(destination) {}

  Result<CURL*> Begin(const HttpPatience& patience, const TransferPace& pace,
                      TimePoint now) override;
  TimePoint StallsAt(TimePoint now) override { return stall_.StallsAt(now, reached_); }
  // OK: all bytes are there.
  TransferEnding End(CURLcode code) override;
  TransferEnding EndStalled() override;

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  size_t Take(std::span<const std::byte> bytes);
  Status CheckHead(int http_status) const;
  bool IsAnother() const;
  Status CheckContentRange() const;
  Status CheckWhole() const;
  const std::string& url() const { return object_->request.url; }
  uint64_t missing() const { return destination_.size() - reached_; }

  const std::shared_ptr<const HttpObject> object_;
  const uint64_t offset_;
  const std::span<std::byte> destination_;
  uint64_t reached_ = 0;  // bytes of the destination that are there

  // Of the attempt.
  std::unique_ptr<CurlRequest> options_;
  std::optional<CurlEasy> easy_;
  std::string content_range_;
  std::string etag_;
  std::string last_modified_;
  std::string length_;
  std::string retry_after_;
  std::string error_body_;
  bool head_checked_ = false;
  Status refused_;  // what was wrong with the head or the length of the body
  StallWatch stall_;
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_RANGE_TRANSFER_H_
