// HttpSender: bodies from the caller's memory to HTTP servers, several at a time.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto sender, HttpSender::Start({}));
//   sender->Submit({.request = request, .body = bytes, .tag = 7});
//   SendDone done = sender->Wait();                 // done.tag == 7
//   TRIMS_RETURN_IF_ERROR(done.response.status());  // no answer
//   done.response->status;                          // 403, too, is an answer
//
// A thread of its own moves the bytes. What passes (a lost connection, a body that merely drips, 408, 429,
// 500, 502, 503, 504) is tried again from the body's beginning, with pauses, as often as HttpPatience says;
// then the last answer, or what went wrong last, is what is told. No redirect is followed.
// Until it is reaped, a body has to stay as it is. Otherwise as TransferLoop, also for threads.
#ifndef TRIMS_TRANSFER_HTTP_SENDER_H_
#define TRIMS_TRANSFER_HTTP_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

#include "trims/status.h"

#include "transfer/http.h"
#include "transfer/send_transfer.h"
#include "transfer/transfer_loop.h"

namespace trims {

struct SendRequest {
  HttpRequest request;  // a PUT; a signing needs the body's SHA-256 in it
  std::span<const std::byte> body;
  size_t tag = 0;  // the caller's; comes back
};

struct SendDone {
  size_t tag = 0;
  Result<HttpResponse> response;
};

struct HttpSenderOptions {
  size_t depth = 8;  // bodies in flight
  HttpPatience patience = {};
  // How much of a body the server has been given in this attempt. On the sender's thread.
  SendTransfer::OnSent on_sent = {};
};

class HttpSender {
 public:
  // RESOURCE_EXHAUSTED: no thread, no memory.
  static Result<std::unique_ptr<HttpSender>> Start(const HttpSenderOptions& options);

  size_t in_flight() const { return loop_->in_flight(); }
  bool full() const { return in_flight() >= loop_->depth(); }

  // Not while full().
  void Submit(SendRequest request);
  // The next body that ends; waits for it. Not while nothing is in flight. UNAVAILABLE,
  // DEADLINE_EXCEEDED, PERMISSION_DENIED: the certificate; RESOURCE_EXHAUSTED; CANCELLED.
  SendDone Wait();
  // All that is in flight, or will be, ends as CANCELLED.
  void Cancel() { loop_->Cancel(); }

 private:
  HttpSender(SendTransfer::OnSent on_sent, std::unique_ptr<TransferLoop> loop)
      : on_sent_(std::move(on_sent)), loop_(std::move(loop)) {}

  const SendTransfer::OnSent on_sent_;
  const std::unique_ptr<TransferLoop> loop_;
};

}  // namespace trims

#endif  // TRIMS_TRANSFER_HTTP_SENDER_H_
