// DeviceRange: the extents of a segment that lies in a GPU's memory, mapped one after the other for reading.
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

#include "trims/status.h"

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

  // An address of the device.
  std::byte* data() const { return reinterpret_cast<std::byte*>(range_.pointer()); }
  int ordinal() const { return context_.ordinal(); }  // of the device, in this process

 private:
  DeviceRange(cuda::Context context, cuda::Range range)
      : context_(std::move(context)), range_(std::move(range)) {}

  const cuda::Context context_;
  const cuda::Range range_;
};

}  // namespace trims

#endif  // TRIMS_CLIENT_DEVICE_RANGE_H_
