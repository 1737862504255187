#include "transfer/range_fetcher.h"

#include <utility>

#include "base/macros.h"

namespace trims {

Result<std::unique_ptr<RangeFetcher>> RangeFetcher::Start(const RangeFetcherOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<TransferLoop> loop,
                         TransferLoop::Start({.depth = options.depth,
                                              .bytes_per_second = options.bytes_per_second,
                                              .patience = options.patience,
                                              .what = "the download"}));
  return std::unique_ptr<RangeFetcher>(new RangeFetcher(std::move(loop)));
}

void RangeFetcher::Submit(RangeRequest request) {
  loop_->Submit(std::make_unique<RangeTransfer>(std::move(request.object), request.offset,
                                                request.destination, request.tag));
}

RangeDone RangeFetcher::Wait() {
  const TransferDone done = loop_->Wait();
  return {.tag = done.transfer->tag(), .status = done.status};
}

}  // namespace trims
