// CudaDevice: a GPU, through its driver's virtual memory calls: each allocation can be given to other processes as a
// descriptor. Where a device has none, an operator may say that its memory is shared by legacy CUDA IPC instead, which
// everybody who opens it can write (docs/security.md); the whole of a segment is one allocation then (cuda_device_memory.h).
//
// What is sealed on the host when it is attached, and of which half or more is wanted, is registered for the device to read, and
// copied from where it lies; the rest passes through two pinned buffers, as does all where the driver refuses to register
// (cuda_host_bytes.h).
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

// How others get at its memory.
enum class CudaExport { kVirtualMemory, kIpc };

struct CudaDeviceOptions {
  int ordinal = 0;     // among those that this process sees
  std::string driver;  // path of the driver's library; empty: libcuda.so.1
  CudaExport way = CudaExport::kVirtualMemory;
};

// As cuda::LoadDriver() and Context::OfOrdinal(); UNIMPLEMENTED: the device can't share memory in that way.
Result<std::unique_ptr<Device>> MakeCudaDevice(const CudaDeviceOptions& options);

}  // namespace trims

#endif  // TRIMS_DEVICE_CUDA_DEVICE_H_
