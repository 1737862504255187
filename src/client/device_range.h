// DeviceRange: the extents of a segment that lies in a GPU's memory, mapped one after the other for reading; where they are
// shared by legacy CUDA IPC, as the one allocation that they are, which the driver maps for writing, too.
//
// The addresses are the device's: kernels read them, this process's processor must not touch them. The driver is loaded
// when the first one is made (environment: TRIMS_CUDA_LIBRARY, where it isn't libcuda.so.1).
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<DeviceRange> range, DeviceRange::Map(uuid, length, extents));
//
// Unmapped when it goes. Thread-safety: a value; made and ended on any thread.
#ifndef TRIMS_CLIENT_DEVICE_RANGE_H_
#define TRIMS_CLIENT_DEVICE_RANGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "trims/status.h"

#include "cuda/cuda_ipc.h"
#include "cuda/cuda_memory.h"

namespace trims {

class DeviceRange {
 public:
  struct Extent {
    int fd = -1;          // borrowed for the call
    uint64_t offset = 0;  // in the range
    uint64_t length = 0;  // bytes
  };

  // NOT_FOUND: no driver here, or this process doesn't see that device; otherwise what the driver says.
  static Result<std::unique_ptr<DeviceRange>> Map(const std::string& device_uuid, uint64_t length,
                                                  std::span<const Extent> extents);
  // Each extent's descriptor holds the same handle. INVALID_ARGUMENT: or not; else as Map().
  static Result<std::unique_ptr<DeviceRange>> OpenIpc(const std::string& device_uuid,
                                                      std::span<const Extent> extents);
  DeviceRange(const DeviceRange&) = delete;
  DeviceRange& operator=(const DeviceRange&) = delete;
  ~DeviceRange();

  // An address of the device.
  std::byte* data() const { return reinterpret_cast<std::byte*>(pointer_); }
  int ordinal() const { return context_.ordinal(); }  // of the device, in this process

 private:
  using Mapped = std::variant<std::monostate, cuda::Range, cuda::IpcMapping>;
  DeviceRange(cuda::Context context, cuda::DevicePointer pointer, Mapped mapped)
      : context_(std::move(context)), pointer_(pointer), mapped_(std::move(mapped)) {}

  const cuda::Context context_;
  const cuda::DevicePointer pointer_;
  Mapped mapped_;
};

}  // namespace trims

#endif  // TRIMS_CLIENT_DEVICE_RANGE_H_
