// The memory of a GPU that models lie in, by the way in which it is shared: virtual memory, whose descriptors others import with
// read access, or legacy CUDA IPC, whose handle lets others write; and what another GPU has.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<DeviceMemory> memory, AllocateVirtual(context, &staging, length, granularity));
//
// `context` and `staging` outlive what is made. Thread-safety: that of the staging.
#ifndef TRIMS_DEVICE_CUDA_DEVICE_MEMORY_H_
#define TRIMS_DEVICE_CUDA_DEVICE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "trims/status.h"

#include "cuda/cuda_memory.h"
#include "cuda/cuda_staging.h"
#include "device/device.h"

namespace trims {

// As Device::Allocate(). What is exported outlives it, with those who have it.
Result<std::unique_ptr<DeviceMemory>> AllocateVirtual(const cuda::Context& context,
                                                      cuda::Staging* staging, uint64_t length,
                                                      size_t granularity);
// As Device::Allocate(). What is exported is a sealed memfd that holds a handle, and the memory goes with this: nobody may have
// it open any more.
Result<std::unique_ptr<DeviceMemory>> AllocateForIpc(const cuda::Context& context,
                                                     cuda::Staging* staging, uint64_t length);

// What another device exported of its virtual memory, to be copied from there. The device can reach the other.
Result<std::unique_ptr<CopySource>> AttachCudaPeer(const cuda::Context& context, int fd,
                                                   uint64_t length, size_t granularity);

}  // namespace trims

#endif  // TRIMS_DEVICE_CUDA_DEVICE_MEMORY_H_
