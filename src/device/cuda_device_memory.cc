#include "device/cuda_device_memory.h"

#include <optional>
#include <span>
#include <utility>

#include "base/macros.h"
#include "cuda/cuda_ipc.h"
#include "device/cuda_host_bytes.h"
#include "device/mapped_host_bytes.h"
#include "store/host_memory.h"

namespace trims {
namespace {

// Memory of a peer, mapped to be read by this device.
class CudaPeerBytes final : public CopySource {
 public:
  static Result<std::unique_ptr<CopySource>> Attach(const cuda::Context& context, int fd,
                                                    uint64_t length, size_t granularity) {
    const cuda::Current current(context);
    TRIMS_ASSIGN_OR_RETURN(const cuda::Allocation allocation,
                           cuda::Allocation::Import(context, fd, length, granularity));
    TRIMS_ASSIGN_OR_RETURN(cuda::Range range,
                           cuda::Range::Reserve(context, allocation.bytes(), granularity));
    TRIMS_RETURN_IF_ERROR(range.Map(allocation, 0, cuda::kAccessRead));
    return std::unique_ptr<CopySource>(
        std::unique_ptr<CudaPeerBytes>(new CudaPeerBytes(context, std::move(range), length)));
  }
  ~CudaPeerBytes() override {
    const cuda::Current current(context_);
    range_.reset();
  }

  cuda::DevicePointer pointer() const { return range_->pointer(); }
  uint64_t length() const { return length_; }

 private:
  CudaPeerBytes(const cuda::Context& context, cuda::Range range, uint64_t length)
      : context_(context), range_(std::move(range)), length_(length) {}
  const cuda::Context& context_;
  std::optional<cuda::Range> range_;
  const uint64_t length_;
};

// What both ways have: bytes that come in, in order on one stream.
class CudaMemory : public DeviceMemory {
 public:
  uint64_t length() const override { return length_; }

  Status CopySpanIn(const CopySource& from, const CopySpan& span) override {
    if (exported_) return AlreadyExported();
    TRIMS_RETURN_IF_ERROR(CheckPart(span.to, span.length, length_));
    const cuda::Current current(context_);
    if (const auto* peer = dynamic_cast<const CudaPeerBytes*>(&from)) {
      TRIMS_RETURN_IF_ERROR(CheckPart(span.from, span.length, peer->length()));
      return staging_.CopyFromDevice(pointer() + span.to, peer->pointer() + span.from, span.length);
    }
    return static_cast<const CudaHostBytes&>(from).CopyTo(pointer() + span.to, span.from,
                                                          span.length);
  }

  Result<UniqueFd> Export() override {
    if (exported_) return AlreadyExported();
    const cuda::Current current(context_);
    TRIMS_RETURN_IF_ERROR(staging_.WaitSince(failures_before_));
    TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, Share());
    exported_ = true;
    return fd;
  }

 protected:
  CudaMemory(const cuda::Context& context, cuda::Staging* staging, uint64_t length)
      : context_(context),
        staging_(*staging),
        failures_before_(staging->failures()),
        length_(length) {}

  virtual cuda::DevicePointer pointer() const = 0;
  // The context is current, and all bytes are there.
  virtual Result<UniqueFd> Share() = 0;

  const cuda::Context& context() const { return context_; }
  // Nobody wants the bytes that are still on their way, but the addresses may not go before them. The context is current.
  void WaitForCopies() { static_cast<void>(staging_.Wait()); }

 private:
  const cuda::Context& context_;
  cuda::Staging& staging_;
  const uint64_t failures_before_;  // of the staging, when this was made
  const uint64_t length_;
  bool exported_ = false;
};

class VirtualMemory final : public CudaMemory {
 public:
  VirtualMemory(const cuda::Context& context, cuda::Staging* staging, uint64_t length,
                cuda::Allocation allocation, cuda::Range range)
      : CudaMemory(context, staging, length),
        allocation_(std::move(allocation)),
        range_(std::move(range)) {}
  ~VirtualMemory() override {
    if (!range_) return;
    const cuda::Current current(context());
    WaitForCopies();
    range_.reset();
  }

 private:
  cuda::DevicePointer pointer() const override { return range_->pointer(); }

  // The mapping that the bytes were written through goes: from here on nobody has one that can be written.
  Result<UniqueFd> Share() override {
    TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, allocation_.Export());
    range_.reset();
    return fd;
  }

  const cuda::Allocation allocation_;
  std::optional<cuda::Range> range_;  // until it is exported
};

class IpcMemory final : public CudaMemory {
 public:
  IpcMemory(const cuda::Context& context, cuda::Staging* staging, uint64_t length,
            cuda::IpcAllocation allocation)
      : CudaMemory(context, staging, length), allocation_(std::move(allocation)) {}
  ~IpcMemory() override {
    const cuda::Current current(context());
    WaitForCopies();
    allocation_.reset();
  }

 private:
  cuda::DevicePointer pointer() const override { return allocation_->pointer(); }

  Result<UniqueFd> Share() override {
    TRIMS_ASSIGN_OR_RETURN(const cuda::IpcMemHandle handle, allocation_->Export());
    TRIMS_ASSIGN_OR_RETURN(SealedExtent sealed,
                           SealedCopy("cuda-ipc", std::as_bytes(std::span(handle.reserved))));
    return std::move(sealed).TakeFd();
  }

  std::optional<cuda::IpcAllocation> allocation_;  // to its end
};

}  // namespace

Result<std::unique_ptr<DeviceMemory>> AllocateVirtual(const cuda::Context& context,
                                                      cuda::Staging* staging, uint64_t length,
                                                      size_t granularity) {
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(cuda::Allocation allocation,
                         cuda::Allocation::Create(context, length, granularity));
  TRIMS_ASSIGN_OR_RETURN(cuda::Range range,
                         cuda::Range::Reserve(context, allocation.bytes(), granularity));
  TRIMS_RETURN_IF_ERROR(range.Map(allocation, 0, cuda::kAccessReadWrite));
  return std::unique_ptr<DeviceMemory>(std::make_unique<VirtualMemory>(
      context, staging, length, std::move(allocation), std::move(range)));
}

Result<std::unique_ptr<DeviceMemory>> AllocateForIpc(const cuda::Context& context,
                                                     cuda::Staging* staging, uint64_t length) {
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(cuda::IpcAllocation allocation,
                         cuda::IpcAllocation::Create(context, length));
  return std::unique_ptr<DeviceMemory>(
      std::make_unique<IpcMemory>(context, staging, length, std::move(allocation)));
}

Result<std::unique_ptr<CopySource>> AttachCudaPeer(const cuda::Context& context, int fd,
                                                   uint64_t length, size_t granularity) {
  return CudaPeerBytes::Attach(context, fd, length, granularity);
}

}  // namespace trims
