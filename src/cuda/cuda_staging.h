// Staging: copies from pages of the host's to a device, through two buffers that the driver has pinned: one is filled while
// the other is on the wire.
//
//   TRIMS_ASSIGN_OR_RETURN(cuda::Staging staging, cuda::Staging::Make(api));
//   TRIMS_RETURN_IF_ERROR(staging.Copy(range.pointer(), bytes));
//
// The context of the device must be current in every call but the end, which only gives memory back. Thread-safety: one
// thread at a time.
#ifndef TRIMS_CUDA_CUDA_STAGING_H_
#define TRIMS_CUDA_CUDA_STAGING_H_

#include <cstddef>
#include <span>
#include <utility>

#include "trims/status.h"

#include "cuda/cuda_api.h"

namespace trims::cuda {

class Staging {
 public:
  static constexpr size_t kBufferBytes = size_t{4} << 20;

  static Result<Staging> Make(const Api* api);
  Staging(Staging&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)), stream_(other.stream_) {
    for (int i = 0; i < kBuffers; ++i) buffers_[i] = other.buffers_[i];
  }
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  // Blocks until the bytes are there.
  Status Copy(DevicePointer to, std::span<const std::byte> from);
  // The same, of what another device has and this one can read; nothing passes through here.
  Status CopyFromDevice(DevicePointer to, DevicePointer from, size_t bytes);

 private:
  static constexpr int kBuffers = 2;
  struct Buffer {
    void* bytes = nullptr;
    Event_ left = nullptr;  // recorded when what it held is on the device
    bool used = false;
  };

  explicit Staging(const Api* api) : api_(api) {}
  Status MakeParts();
  Status CopyPart(Buffer* buffer, DevicePointer to, std::span<const std::byte> from);
  Status CopyParts(DevicePointer to, std::span<const std::byte> from);

  const Api* api_;
  Stream_ stream_ = nullptr;
  Buffer buffers_[kBuffers];
};

}  // namespace trims::cuda

#endif  // TRIMS_CUDA_CUDA_STAGING_H_
