#include "device/cuda_device.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_pinned_pages.h"
#include "cuda/cuda_staging.h"
#include "device/cuda_host_bytes.h"
#include "device/mapped_host_bytes.h"

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

class CudaMemory final : public DeviceMemory {
 public:
  static Result<std::unique_ptr<DeviceMemory>> Make(const cuda::Context& context,
                                                    cuda::Staging* staging, uint64_t length,
                                                    size_t granularity) {
    const cuda::Current current(context);
    TRIMS_ASSIGN_OR_RETURN(cuda::Allocation allocation,
                           cuda::Allocation::Create(context, length, granularity));
    TRIMS_ASSIGN_OR_RETURN(cuda::Range range,
                           cuda::Range::Reserve(context, allocation.bytes(), granularity));
    TRIMS_RETURN_IF_ERROR(range.Map(allocation, 0, cuda::kAccessReadWrite));
    return std::unique_ptr<DeviceMemory>(std::unique_ptr<CudaMemory>(
        new CudaMemory(context, staging, length, std::move(allocation), std::move(range))));
  }
  ~CudaMemory() override {
    if (!range_) return;
    const cuda::Current current(context_);
    static_cast<void>(staging_.Wait());  // nobody wants the bytes, but the addresses may not go
    range_.reset();
  }

  uint64_t length() const override { return length_; }

  Status CopyIn(const CopySource& from, uint64_t offset, uint64_t length) override {
    if (!range_) return AlreadyExported();
    if (const auto* peer = dynamic_cast<const CudaPeerBytes*>(&from)) {
      TRIMS_RETURN_IF_ERROR(CheckPart(offset, length, std::min(peer->length(), length_)));
      const cuda::Current current(context_);
      return staging_.CopyFromDevice(range_->pointer() + offset, peer->pointer() + offset, length);
    }
    const auto& host = static_cast<const CudaHostBytes&>(from);
    const cuda::Current current(context_);
    return host.CopyTo(range_->pointer() + offset, offset, length, length_);
  }

  // The mapping that the bytes were written through goes: from here on nobody has one that can be written.
  Result<UniqueFd> Export() override {
    if (!range_) return AlreadyExported();
    const cuda::Current current(context_);
    TRIMS_RETURN_IF_ERROR(staging_.WaitSince(failures_before_));
    TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, allocation_.Export());
    range_.reset();
    return fd;
  }

 private:
  CudaMemory(const cuda::Context& context, cuda::Staging* staging, uint64_t length,
             cuda::Allocation allocation, cuda::Range range)
      : context_(context),
        staging_(*staging),
        failures_before_(staging->failures()),
        length_(length),
        allocation_(std::move(allocation)),
        range_(std::move(range)) {}
  const cuda::Context& context_;
  cuda::Staging& staging_;
  const uint64_t failures_before_;  // of the staging, when this was made
  const uint64_t length_;
  const cuda::Allocation allocation_;
  std::optional<cuda::Range> range_;  // until it is exported
};

class CudaDevice final : public Device {
 public:
  CudaDevice(cuda::Context context, DeviceInfo info, cuda::Staging staging)
      : context_(std::move(context)),
        info_(std::move(info)),
        pins_(cuda::PinnedPages::CanRegister(context_)),
        staging_(std::move(staging)) {
    LogInfo("device.copies", {{"device", info_.name}, {"from", pins_ ? "pinned" : "staged"}});
  }

  const DeviceInfo& info() const override { return info_; }

  Result<std::unique_ptr<CopySource>> Attach(int fd, uint64_t length) override {
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CudaHostBytes> bytes,
                           CudaHostBytes::Attach(context_, &staging_, fd, length));
    if (pins_ && bytes->is_sealed()) {
      if (const Status pinned = bytes->Pin(); !pinned.ok()) SayOnce(pinned);
    }
    return std::unique_ptr<CopySource>(std::move(bytes));
  }

  Result<std::unique_ptr<CopySource>> AttachPeer(int fd, uint64_t length,
                                                 std::string_view uuid) override {
    TRIMS_ASSIGN_OR_RETURN(const bool can, context_.CanAccess(uuid));
    if (can) return CudaPeerBytes::Attach(context_, fd, length, info_.granularity);
    return Status(StatusCode::kUnimplemented,
                  info_.name + " can't read the memory of device " + std::string(uuid));
  }

  Result<std::unique_ptr<DeviceMemory>> Allocate(std::string_view, uint64_t length) override {
    if (length == 0)
      return Status(StatusCode::kInvalidArgument, "an allocation of a device can't be empty");
    return CudaMemory::Make(context_, &staging_, length, info_.granularity);
  }

 private:
  // Slower, and nothing else: what is refused for one extent may be allowed for the next.
  void SayOnce(const Status& refused) {
    if (std::exchange(said_, true)) return;
    LogWarning("device.not_pinned", {{"device", info_.name}, {"error", refused}});
  }

  const cuda::Context context_;
  const DeviceInfo info_;
  const bool pins_;
  bool said_ = false;  // that the driver refused to
  cuda::Staging staging_;
};

Status CheckCanShare(const cuda::Context& context) {
  for (const auto& [attribute, what] :
       {std::pair(cuda::kAttributeVirtualMemoryManagement, "virtual memory management"),
        std::pair(cuda::kAttributePosixFileDescriptors, "memory that is shared by descriptors")}) {
    TRIMS_ASSIGN_OR_RETURN(const int has, context.ReadAttribute(attribute));
    if (has != 0) continue;
    return Status(StatusCode::kUnimplemented,
                  "CUDA device " + std::to_string(context.ordinal()) + " has no " + what,
                  "a device, and a driver, that supports it; WSL and vGPUs often don't");
  }
  return Status();
}

Result<DeviceInfo> Describe(const cuda::Context& context) {
  DeviceInfo info{.name = "cuda:" + std::to_string(context.ordinal()),
                  .memory = HandleKind::kCudaDevice};
  TRIMS_ASSIGN_OR_RETURN(info.uuid, context.ReadUuid());
  TRIMS_ASSIGN_OR_RETURN(info.capacity, context.ReadTotalBytes());
  TRIMS_ASSIGN_OR_RETURN(info.granularity, context.ReadGranularity());
  return info;
}

}  // namespace

Result<std::unique_ptr<Device>> MakeCudaDevice(const CudaDeviceOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(const cuda::Api* const api, cuda::LoadDriver(options.driver));
  TRIMS_ASSIGN_OR_RETURN(cuda::Context context, cuda::Context::OfOrdinal(api, options.ordinal));
  TRIMS_RETURN_IF_ERROR(CheckCanShare(context));
  TRIMS_ASSIGN_OR_RETURN(DeviceInfo info, Describe(context));
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(cuda::Staging staging, cuda::Staging::Make(api));
  return std::unique_ptr<Device>(
      std::make_unique<CudaDevice>(std::move(context), std::move(info), std::move(staging)));
}

}  // namespace trims
