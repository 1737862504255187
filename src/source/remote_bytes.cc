#include "source/remote_bytes.h"

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

Result<std::shared_ptr<const HttpObject>> RemoteBytes::Renew(const Status& why) const {
  MutexLock lock(mutex_);
  if (++refusals_ > kMaxRefusals) return why;
  tree_->store().Refused();
  TRIMS_ASSIGN_OR_RETURN(object_, HttpObjectOf(&tree_->store(), file_));
  return object_;
}

Status RemoteBytes::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RangeFetcher> fetcher,
                         RangeFetcher::Start({.depth = 1}));
  Result<std::shared_ptr<const HttpObject>> object = this->object();
  for (;;) {
    fetcher->Submit({.object = *object, .offset = offset, .destination = out});
    const Status status = fetcher->Wait().status;
    if (status.code() != StatusCode::kPermissionDenied) return status;
    object = Renew(status);
    if (!object.ok()) return object.status();
  }
}

}  // namespace trims
