#include "cuda/cuda_ipc.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/seals.h"
#include "cuda/cuda_driver.h"

namespace trims::cuda {

Result<IpcAllocation> IpcAllocation::Create(const Context& context, size_t bytes) {
  const size_t rounded = AlignUp(bytes, kGranularity);
  DevicePointer pointer = 0;
  TRIMS_RETURN_IF_ERROR(Check(context.api(), context.api().MemAlloc(&pointer, rounded),
                              "cuMemAlloc of " + std::to_string(rounded) + " bytes"));
  return IpcAllocation(&context.api(), pointer);
}

Result<IpcMemHandle> IpcAllocation::Export() const {
  IpcMemHandle handle{};
  TRIMS_RETURN_IF_ERROR(
      Check(*api_, api_->IpcGetMemHandle(&handle, pointer_), "cuIpcGetMemHandle"));
  return handle;
}

Result<IpcMapping> IpcMapping::Open(const Context& context, const IpcMemHandle& handle) {
  DevicePointer pointer = 0;
  TRIMS_RETURN_IF_ERROR(Check(context.api(),
                              context.api().IpcOpenMemHandle(&pointer, handle, kIpcLazyPeerAccess),
                              "cuIpcOpenMemHandle"));
  return IpcMapping(&context.api(), pointer);
}

Result<IpcMemHandle> ReadIpcHandle(int fd) {
  IpcMemHandle handle{};
  struct stat info {};
  if (::fstat(fd, &info) != 0) return ErrnoStatus("looking at a handle of CUDA IPC");
  const bool is_one = S_ISREG(info.st_mode) && CheckSealed(fd).ok() &&
                      info.st_size == static_cast<off_t>(sizeof handle);
  if (!is_one || ::pread(fd, &handle, sizeof handle, 0) != static_cast<ssize_t>(sizeof handle)) {
    return Status(StatusCode::kInvalidArgument,
                  "a descriptor of something else than a sealed memfd of " +
                      std::to_string(sizeof handle) + " bytes: no handle of CUDA IPC");
  }
  return handle;
}

}  // namespace trims::cuda
