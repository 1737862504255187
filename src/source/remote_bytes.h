// RemoteBytes: a file on a network as bytes by offset.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto file, RemoteBytes::Open(tree, "ort-12/extent"));
//   TRIMS_RETURN_IF_ERROR(file->ReadAt(4096, page));
//
// ReadAt() asks the server each time, over a connection of its own: it is for little. Who reads a lot gives
// object() to a RangeFetcher. Thread-safety: safe.
#ifndef TRIMS_SOURCE_REMOTE_BYTES_H_
#define TRIMS_SOURCE_REMOTE_BYTES_H_

#include <memory>
#include <string>
#include <utility>

#include "trims/status.h"

#include "base/mutex.h"
#include "base/random_access.h"
#include "source/remote_tree.h"
#include "transfer/range_transfer.h"

namespace trims {

class RemoteBytes final : public RandomAccess {
 public:
  // The tree is shared by its files. Errors as RemoteTree::Find's.
  static Result<std::unique_ptr<RemoteBytes>> Open(std::shared_ptr<const RemoteTree> tree,
                                                   const std::string& name);

  const std::string& name() const override { return file_.url; }
  uint64_t size() const override { return file_.length; }
  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override;

  std::shared_ptr<const HttpObject> object() const;
  // After the server has refused one: with new credentials, if the last ones have ended, which many ranges may
  // meet at once. `why` is what came; it is the result when that has been tried often enough.
  Result<std::shared_ptr<const HttpObject>> Renew(const std::shared_ptr<const HttpObject>& refused,
                                                  const Status& why) const;
  // DATA_LOSS: `length` bytes from `offset` on are not in it.
  Status CheckRange(uint64_t offset, uint64_t length) const;

 private:
  RemoteBytes(std::shared_ptr<const RemoteTree> tree, RemoteFile file)
      : tree_(std::move(tree)), file_(std::move(file)) {}

  const std::shared_ptr<const RemoteTree> tree_;
  const RemoteFile file_;
  mutable Mutex mutex_;
  mutable std::shared_ptr<const HttpObject> object_ TRIMS_GUARDED_BY(mutex_);
  mutable int refusals_ TRIMS_GUARDED_BY(mutex_) = 0;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_REMOTE_BYTES_H_
