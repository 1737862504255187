#include "device/cuda_device.h"

#include <string>
#include <utility>

#include "base/macros.h"
#include "cuda/cuda_driver.h"
#include "cuda/cuda_ipc.h"
#include "cuda/cuda_memory.h"
#include "cuda/cuda_pinned_pages.h"
#include "cuda/cuda_staging.h"
#include "device/cuda_device_memory.h"
#include "device/cuda_host_bytes.h"

namespace trims {
namespace {

class CudaDevice final : public Device {
 public:
  CudaDevice(cuda::Context context, DeviceInfo info, cuda::Staging staging)
      : context_(std::move(context)), info_(std::move(info)), staging_(std::move(staging)) {}

  const DeviceInfo& info() const override { return info_; }

  // Registering takes as long as there are pages: all of them, whatever is copied.
  Result<std::unique_ptr<CopySource>> AttachFor(uint64_t wanted, int fd, uint64_t length) override {
    TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CudaHostBytes> bytes,
                           CudaHostBytes::Attach(context_, &staging_, fd, length));
    const bool mostly = wanted >= length / 2;
    if (info_.copies == "pinned" && mostly && bytes->is_sealed()) bytes->Pin();
    return std::unique_ptr<CopySource>(std::move(bytes));
  }

  Result<std::unique_ptr<CopySource>> AttachPeer(int fd, uint64_t length,
                                                 std::string_view uuid) override {
    if (info_.in_one_piece())
      return Status(StatusCode::kUnimplemented, info_.name + " shares by CUDA IPC: not with peers");
    TRIMS_ASSIGN_OR_RETURN(const bool can, context_.CanAccess(uuid));
    if (can) return AttachCudaPeer(context_, fd, length, info_.granularity);
    return Status(StatusCode::kUnimplemented,
                  info_.name + " can't read the memory of device " + std::string(uuid));
  }

  Result<std::unique_ptr<DeviceMemory>> Allocate(std::string_view, uint64_t length) override {
    if (length == 0)
      return Status(StatusCode::kInvalidArgument, "an allocation of a device can't be empty");
    if (info_.in_one_piece()) return AllocateForIpc(context_, &staging_, length);
    return AllocateVirtual(context_, &staging_, length, info_.granularity);
  }

 private:
  const cuda::Context context_;
  const DeviceInfo info_;
  cuda::Staging staging_;
};

Status CheckHasVirtualMemory(const cuda::Context& context) {
  const std::string name = "CUDA device " + std::to_string(context.ordinal());
  for (const auto& [attribute, what] :
       {std::pair(cuda::kAttributeVirtualMemoryManagement, "virtual memory management"),
        std::pair(cuda::kAttributePosixFileDescriptors, "memory that is shared by descriptors")}) {
    TRIMS_ASSIGN_OR_RETURN(const int has, context.ReadAttribute(attribute));
    if (has != 0) continue;
    return Status(StatusCode::kUnimplemented, name + " has no " + what,
                  "a device, and a driver, that supports it (WSL and vGPUs often don't), or, among "
                  "tenants that trust each other, --device cuda:" +
                      std::to_string(context.ordinal()) + ",export=ipc");
  }
  return Status();
}

// What the device says when it is asked for a handle.
Status CheckHasIpc(const cuda::Context& context) {
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(const cuda::IpcAllocation probe, cuda::IpcAllocation::Create(context, 1));
  const Status status = probe.Export().status();
  if (status.ok() || status.code() == StatusCode::kUnavailable) return status;
  return Status(StatusCode::kUnimplemented,
                "CUDA device " + std::to_string(context.ordinal()) +
                    " can't share memory by CUDA IPC: " + status.message(),
                "without export=ipc it is shared by descriptors, where the driver can do that");
}

Result<DeviceInfo> Describe(const cuda::Context& context, CudaExport way) {
  const bool ipc = way == CudaExport::kIpc;
  DeviceInfo info{.name = "cuda:" + std::to_string(context.ordinal()),
                  .memory = ipc ? HandleKind::kCudaIpc : HandleKind::kCudaDevice,
                  .granularity = cuda::IpcAllocation::kGranularity,
                  .copies = cuda::PinnedPages::CanRegister(context) ? "pinned" : "staged"};
  TRIMS_ASSIGN_OR_RETURN(info.uuid, context.ReadUuid());
  TRIMS_ASSIGN_OR_RETURN(info.capacity, context.ReadTotalBytes());
  if (!ipc) {
    TRIMS_ASSIGN_OR_RETURN(info.granularity, context.ReadGranularity());
  }
  return info;
}

}  // namespace

Result<std::unique_ptr<Device>> MakeCudaDevice(const CudaDeviceOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(const cuda::Api* const api, cuda::LoadDriver(options.driver));
  TRIMS_ASSIGN_OR_RETURN(cuda::Context context, cuda::Context::OfOrdinal(api, options.ordinal));
  TRIMS_RETURN_IF_ERROR(options.way == CudaExport::kIpc ? CheckHasIpc(context)
                                                        : CheckHasVirtualMemory(context));
  TRIMS_ASSIGN_OR_RETURN(DeviceInfo info, Describe(context, options.way));
  const cuda::Current current(context);
  TRIMS_ASSIGN_OR_RETURN(cuda::Staging staging, cuda::Staging::Make(api));
  return std::unique_ptr<Device>(
      std::make_unique<CudaDevice>(std::move(context), std::move(info), std::move(staging)));
}

}  // namespace trims
