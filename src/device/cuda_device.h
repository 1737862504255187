// CudaDevice: a GPU, through its driver's virtual memory calls: each allocation can be given to other processes as a
// descriptor.
//
// Bytes pass through two pinned buffers of the driver's: the segments that they come from can't be pinned themselves,
// since pages that are pinned can't be sealed, and copying begins before they are.
//
// Tried against a stand-in for the driver only (tests/standin); no hardware has run this.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Device> device, MakeCudaDevice({.ordinal = 0}));
//
// Belongs into a process of its own (device_server.h): a driver may crash or hang. Thread-safety: one thread.
#ifndef TRIMS_DEVICE_CUDA_DEVICE_H_
#define TRIMS_DEVICE_CUDA_DEVICE_H_

#include <memory>
#include <string>

#include "trims/status.h"

#include "device/device.h"

namespace trims {

struct CudaDeviceOptions {
  int ordinal = 0;     // among those that this process sees
  std::string driver;  // path of the driver's library; empty: libcuda.so.1
};

// As cuda::LoadDriver() and Context::OfOrdinal(); UNIMPLEMENTED: the device can't share memory by descriptors.
Result<std::unique_ptr<Device>> MakeCudaDevice(const CudaDeviceOptions& options);

}  // namespace trims

#endif  // TRIMS_DEVICE_CUDA_DEVICE_H_
