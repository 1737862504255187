#include "transfer/http_sender.h"

#include <utility>

#include "base/macros.h"

namespace trims {

Result<std::unique_ptr<HttpSender>> HttpSender::Start(const HttpSenderOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(
      std::unique_ptr<TransferLoop> loop,
      TransferLoop::Start(
          {.depth = options.depth, .patience = options.patience, .what = "the upload"}));
  return std::unique_ptr<HttpSender>(new HttpSender(options.on_sent, std::move(loop)));
}

void HttpSender::Submit(SendRequest request) {
  loop_->Submit(std::make_unique<SendTransfer>(std::move(request.request), request.body,
                                               request.tag, on_sent_));
}

SendDone HttpSender::Wait() {
  const TransferDone done = loop_->Wait();
  const size_t tag = done.transfer->tag();
  if (!done.status.ok()) return {.tag = tag, .response = done.status};
  // Submit() makes no others.
  return {.tag = tag, .response = static_cast<SendTransfer&>(*done.transfer).TakeResponse()};
}

}  // namespace trims
