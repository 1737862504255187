#include "source/remote_bytes.h"

#include <optional>

#include "base/cancel_token.h"
#include "base/macros.h"
#include "source/http_request_of.h"
#include "transfer/range_fetcher.h"

namespace trims {

Result<std::unique_ptr<RemoteBytes>> RemoteBytes::Open(std::shared_ptr<const RemoteTree> tree,
                                                       const std::string& name) {
  TRIMS_ASSIGN_OR_RETURN(RemoteFile file, tree->Find(name));
  std::unique_ptr<RemoteBytes> bytes(new RemoteBytes(std::move(tree), std::move(file)));
  TRIMS_ASSIGN_OR_RETURN(const std::shared_ptr<const HttpObject> object,
                         HttpObjectOf(&bytes->tree_->store(), bytes->file_));
  MutexLock lock(bytes->mutex_);
  bytes->object_ = object;
  return bytes;
}

std::shared_ptr<const HttpObject> RemoteBytes::object() const {
  MutexLock lock(mutex_);
  return object_;
}

Result<std::shared_ptr<const HttpObject>> RemoteBytes::Renew(
    const std::shared_ptr<const HttpObject>& refused, const Status& why) const {
  MutexLock lock(mutex_);
  if (object_ != refused) return object_;  // another range has met the same
  if (++refusals_ > kMaxRefusals) return why;
  tree_->store().Refused();
  TRIMS_ASSIGN_OR_RETURN(object_, HttpObjectOf(&tree_->store(), file_));
  return object_;
}

Status RemoteBytes::CheckRange(uint64_t offset, uint64_t length) const {
  if (offset <= file_.length && length <= file_.length - offset) return Status();
  return Status(StatusCode::kDataLoss, file_.url + " is " + std::to_string(file_.length) +
                                           " bytes, expected at least " +
                                           std::to_string(offset + length));
}

Status RemoteBytes::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  TRIMS_RETURN_IF_ERROR(CheckRange(offset, out.size()));
  const RemoteStoreOptions& options = tree_->options();
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RangeFetcher> fetcher,
                         RangeFetcher::Start({.depth = 1, .patience = options.patience}));
  std::optional<CancelToken::Watch> watch;
  if (options.cancel != nullptr) watch.emplace(options.cancel, [&] { fetcher->Cancel(); });
  std::shared_ptr<const HttpObject> object = this->object();
  for (;;) {
    fetcher->Submit({.object = object, .offset = offset, .destination = out});
    const Status status = fetcher->Wait().status;
    if (status.code() != StatusCode::kPermissionDenied) return status;
    TRIMS_ASSIGN_OR_RETURN(object, Renew(object, status));
  }
}

}  // namespace trims
