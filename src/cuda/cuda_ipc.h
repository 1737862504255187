// Legacy CUDA IPC: memory of a device that is shared by a handle of 64 bytes, for devices whose allocations can't be given away as
// descriptors.
//
// It is less than what cuda_memory.h has: whoever opens a handle can write the memory, it lies there only as long as the
// process that allocated it, and where it is mapped the driver chooses. The handle goes to others in a sealed memfd, so that it is passed
// as any other extent is: who has the descriptor, and nobody else, is given it.
//
//   TRIMS_ASSIGN_OR_RETURN(const cuda::IpcAllocation mine, cuda::IpcAllocation::Create(context, bytes));
//   TRIMS_ASSIGN_OR_RETURN(const cuda::IpcMemHandle handle, mine.Export());
//   TRIMS_ASSIGN_OR_RETURN(const cuda::IpcMapping theirs, cuda::IpcMapping::Open(context, handle));  // in another process
//
// The context must be current when one is made and when it goes. Thread-safety: values.
#ifndef TRIMS_CUDA_CUDA_IPC_H_
#define TRIMS_CUDA_CUDA_IPC_H_

#include <cstddef>
#include <utility>

#include "trims/status.h"

#include "cuda/cuda_api.h"
#include "cuda/cuda_memory.h"

namespace trims::cuda {

class IpcAllocation {
 public:
  // What allocations are rounded up to: a handle stands for the driver's whole block, so that nothing else may lie in one.
  static constexpr size_t kGranularity = size_t{2} << 20;

  static Result<IpcAllocation> Create(const Context& context, size_t bytes);
  IpcAllocation(IpcAllocation&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)), pointer_(other.pointer_) {}
  IpcAllocation& operator=(IpcAllocation&&) = delete;
  // Nobody may have it open any more.
  ~IpcAllocation() {
    if (api_ != nullptr) static_cast<void>(api_->MemFree(pointer_));
  }

  DevicePointer pointer() const { return pointer_; }
  Result<IpcMemHandle> Export() const;

 private:
  IpcAllocation(const Api* api, DevicePointer pointer) : api_(api), pointer_(pointer) {}
  const Api* api_;
  DevicePointer pointer_;
};

// What another process has allocated. One handle may be opened several times, and is at one place then.
class IpcMapping {
 public:
  static Result<IpcMapping> Open(const Context& context, const IpcMemHandle& handle);
  IpcMapping(IpcMapping&& other) noexcept
      : api_(std::exchange(other.api_, nullptr)), pointer_(other.pointer_) {}
  IpcMapping& operator=(IpcMapping&&) = delete;
  ~IpcMapping() {
    if (api_ != nullptr) static_cast<void>(api_->IpcCloseMemHandle(pointer_));
  }

  DevicePointer pointer() const { return pointer_; }

 private:
  IpcMapping(const Api* api, DevicePointer pointer) : api_(api), pointer_(pointer) {}
  const Api* api_;
  DevicePointer pointer_;
};

// The handle that a sealed memfd of exactly its size holds. INVALID_ARGUMENT: `fd` is something else.
Result<IpcMemHandle> ReadIpcHandle(int fd);

}  // namespace trims::cuda

#endif  // TRIMS_CUDA_CUDA_IPC_H_
