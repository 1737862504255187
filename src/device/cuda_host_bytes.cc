#include "device/cuda_host_bytes.h"

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "base/macros.h"
#include "base/seals.h"
#include "device/mapped_host_bytes.h"

namespace trims {

CudaHostBytes::CudaHostBytes(const cuda::Context& context, cuda::Staging* staging,
                             std::unique_ptr<CopySource> bytes, bool sealed)
    : context_(context), staging_(*staging), bytes_(std::move(bytes)), sealed_(sealed) {}

Result<std::unique_ptr<CudaHostBytes>> CudaHostBytes::Attach(const cuda::Context& context,
                                                             cuda::Staging* staging, int fd,
                                                             uint64_t length) {
  // Before it is mapped: what is sealed by then has all of its pages.
  const bool sealed = CheckSealed(fd).ok();
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CopySource> bytes, MappedHostBytes::Attach(fd, length));
  return std::unique_ptr<CudaHostBytes>(
      new CudaHostBytes(context, staging, std::move(bytes), sealed));
}

CudaHostBytes::~CudaHostBytes() {
  if (!pinned_) return;
  const cuda::Current current(context_);
  static_cast<void>(staging_.Wait());  // whose memory it was is told by Staging::WaitSince()
  pinned_.reset();
}

void CudaHostBytes::Pin() {
  const std::span<const std::byte> pages = MappedHostBytes::PagesOf(*bytes_);
  if (pages.size() > kMostPinnedBytes) {
    detour_ =
        Status(StatusCode::kResourceExhausted,
               std::to_string(pages.size()) + " bytes of the host's are not registered: at most " +
                   std::to_string(kMostPinnedBytes) + " at a time");
    return;
  }
  const cuda::Current current(context_);
  Result<cuda::PinnedPages> pinned = cuda::PinnedPages::Register(context_, pages);
  detour_ = pinned.status();
  if (pinned.ok()) pinned_.emplace(*std::move(pinned));
}

Status CudaHostBytes::CopyTo(cuda::DevicePointer to, uint64_t offset, uint64_t length) const {
  TRIMS_ASSIGN_OR_RETURN(const std::span<const std::byte> bytes,
                         MappedHostBytes::Part(*bytes_, offset, length));
  return pinned_ ? staging_.CopyPinned(to, bytes) : staging_.Copy(to, bytes);
}

}  // namespace trims
