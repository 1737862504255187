// Model::Impl: what an open got: descriptors, mappings and the lease.
//
// Ownership: its descriptors and mappings are its own, the connection is shared with the Client.
// Thread-safety: const members from any thread.
#ifndef TRIMS_CLIENT_MODEL_IMPL_H_
#define TRIMS_CLIENT_MODEL_IMPL_H_

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "trims/model.h"

#include "base/mapping.h"
#include "base/unique_fd.h"
#include "client/connection.h"
#include "client/device_range.h"
#include "wire/index_reader.h"
#include "wire/reply.h"

namespace trims {

class Model::Impl {
 public:
  // Takes the lease and the descriptors of `reply`, and maps: in time proportional to the extents.
  // INTERNAL: the reply and its descriptors don't fit together; UNIMPLEMENTED: an extent of a kind
  // that can't be mapped here; otherwise what mmap, or DeviceRange::Map, says. The lease
  // is closed on failure.
  static Result<std::unique_ptr<Impl>> Make(const wire::OpenReply& reply, std::vector<UniqueFd> fds,
                                            std::shared_ptr<client::Connection> connection);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // Constant.
  OpenInfo info;
  std::byte* base = nullptr;  // of the range; an address of the device, where it lies on a GPU
  uint64_t range_length = 0;
  struct Extent {
    UniqueFd fd;
    uint64_t offset = 0;  // in the range
    uint64_t length = 0;
    bool exact = false;  // the descriptor holds `length` bytes and no padding
  };
  std::vector<Extent> extents;

  // Maps the index the first time: who takes the bytes as they are pays nothing for it. DATA_LOSS:
  // its descriptor is not what the daemon said; otherwise what mmap says, from then on.
  // Thread-safety: safe.
  Result<const wire::IndexReader*> Index() const;

  // DATA_LOSS: the index says what can't be.
  Result<TensorView> View(const index::Tensor& tensor) const;
  Result<FileView> View(const index::File& file) const;

 private:
  Impl(std::shared_ptr<client::Connection> connection, uint64_t lease)
      : connection_(std::move(connection)), lease_(lease) {}
  Status MapIndex() const;
  Status MapRange();
  Status MapExtents(const wire::OpenReply& reply, std::span<UniqueFd> fds);
  Status TakeExtents(std::span<const wire::ExtentInfo> infos, std::span<UniqueFd> fds);
  Status MapRuns(const wire::OpenReply& reply, std::span<const UniqueFd> fds);
  Result<std::vector<uint64_t>> PlacesOf(const wire::OpenReply& reply) const;
  Status MapOnDevice(HandleKind kind, const std::string& device_uuid,
                     std::span<const DeviceRange::Extent> to_map);
  Status CheckExtent(Extent* extent) const;
  Result<std::span<const std::byte>> Slice(uint64_t offset, uint64_t length) const;

  std::shared_ptr<client::Connection> connection_;
  uint64_t lease_;
  // One of them, where there are extents.
  Mapping range_;
  std::unique_ptr<DeviceRange> device_range_;
  uint64_t index_length_ = 0;

  // Constant once Index() was called.
  mutable std::once_flag index_once_;
  mutable UniqueFd index_fd_;  // until then
  mutable Status index_status_;
  mutable Mapping index_bytes_;
  mutable wire::IndexReader index_;
};

}  // namespace trims

#endif  // TRIMS_CLIENT_MODEL_IMPL_H_
