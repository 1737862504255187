// CudaHostBytes: a memfd of the host's, mapped for a GPU's copies. It may be registered with the driver, so that the GPU reads it
// where it lies; else its bytes pass through the staging buffers.
//
// Only what is sealed is registered, once, when it is attached. Of what still grows a registration would allocate the pages
// that nothing has filled yet, and the kernel refuses to seal (EBUSY) while pages are held by anybody but maps and the page
// cache: a load that is followed from its beginning would fail by it.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CudaHostBytes> from, CudaHostBytes::Attach(context, &staging, fd, length));
//   if (pins && from->is_sealed()) from->Pin();
//   TRIMS_RETURN_IF_ERROR(from->CopyTo(pointer + offset, offset, length));
//
// Its end waits for the copies that still read it. Thread-safety: that of the staging.
#ifndef TRIMS_DEVICE_CUDA_HOST_BYTES_H_
#define TRIMS_DEVICE_CUDA_HOST_BYTES_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "trims/status.h"

#include "cuda/cuda_memory.h"
#include "cuda/cuda_pinned_pages.h"
#include "cuda/cuda_staging.h"
#include "device/device.h"

namespace trims {

class CudaHostBytes final : public CopySource {
 public:
  // Registering takes as long as there are pages, in one call that can't be given up, while other loads of the device wait.
  static constexpr uint64_t kMostPinnedBytes = uint64_t{8} << 30;

  // `context` and `staging` outlive it; `fd` may be closed after the call.
  static Result<std::unique_ptr<CudaHostBytes>> Attach(const cuda::Context& context,
                                                       cuda::Staging* staging, int fd,
                                                       uint64_t length);
  ~CudaHostBytes() override;

  // Whether it is sealed: no page will be added, and nobody waits to seal it.
  bool is_sealed() const { return sealed_; }
  // Registers all of its pages, if they aren't too many. What a driver refuses is copied through the buffers as before, and detour() says so.
  void Pin();
  Status detour() const override { return detour_; }

  // The bytes [offset, offset + length) of it to `to`. INVALID_ARGUMENT: they are not in it. The context is current.
  Status CopyTo(cuda::DevicePointer to, uint64_t offset, uint64_t length) const;

 private:
  CudaHostBytes(const cuda::Context& context, cuda::Staging* staging,
                std::unique_ptr<CopySource> bytes, bool sealed);

  const cuda::Context& context_;
  cuda::Staging& staging_;
  const std::unique_ptr<CopySource> bytes_;  // which MappedHostBytes made
  const bool sealed_;
  std::optional<cuda::PinnedPages> pinned_;
  Status detour_;
};

}  // namespace trims

#endif  // TRIMS_DEVICE_CUDA_HOST_BYTES_H_
