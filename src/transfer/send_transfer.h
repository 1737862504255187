// SendTransfer: one body on its way from the caller's memory to a server, over as many attempts as it takes:
// each begins anew, and is signed anew.
//
// Thread-safety: one thread at a time.
#ifndef TRIMS_TRANSFER_SEND_TRANSFER_H_
#define TRIMS_TRANSFER_SEND_TRANSFER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "trims/status.h"

#include "transfer/curl_handles.h"
#include "transfer/curl_request.h"
#include "transfer/http.h"
#include "transfer/transfer.h"

namespace trims {

class SendTransfer final : public Transfer {
 public:
  using OnSent = std::function<void(size_t tag, uint64_t bytes)>;  // of the body, in this attempt

  // A PUT of `body`, which is borrowed.
  SendTransfer(HttpRequest request, std::span<const std::byte> body, size_t tag, OnSent on_sent)
      : Transfer(tag), request_(std::move(request)), body_(body), on_sent_(std::move(on_sent)) {}

  Result<CURL*> Begin(const HttpPatience& patience, const TransferPace& pace,
                      TimePoint now) override;
  TimePoint StallsAt(TimePoint now) override { return stall_.StallsAt(now, sent_); }
  // OK: there is an answer, whatever its status.
  TransferEnding End(CURLcode code) override;
  TransferEnding EndStalled() override;

  // The last attempt's, once the transfer has ended as OK.
  HttpResponse TakeResponse() { return std::move(response_); }

 private:
  static size_t OnRead(char* data, size_t size, size_t count, void* self);
  static int OnSeek(void* self, curl_off_t offset, int origin);
  static size_t OnHeader(char* data, size_t size, size_t count, void* self);
  static size_t OnBody(char* data, size_t size, size_t count, void* self);
  void SetSent(uint64_t sent);

  const HttpRequest request_;
  const std::span<const std::byte> body_;
  const OnSent on_sent_;  // may be empty

  // Of the attempt.
  std::unique_ptr<CurlRequest> options_;
  std::optional<CurlEasy> easy_;
  uint64_t sent_ = 0;
  HttpResponse response_;
  StallWatch stall_;
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_SEND_TRANSFER_H_
