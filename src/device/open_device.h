// OpenDevice: a device from what a person wrote for it.
//
//   sim:0                                  a simulated device of 4 GiB
//   sim:0,capacity=8GiB,link=12GB,peer=50GB,latency=10us,granularity=2MiB
//   cuda:0                                 a GPU, by its ordinal
//   cuda:0,driver=/usr/lib/libcuda.so.1,export=vmm
//
// `link` is what the wire from the host carries in a second; without it copies take what they take. `peer` is that of a wire
// from other simulated devices; without it they use the wire from the host, and with `none` nothing comes from them. `export=ipc`: by legacy
// CUDA IPC, which lets everybody write who opens it.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Device> device, OpenDevice("sim:0,capacity=8GiB"));
//
// Thread-safety: a function of its text.
#ifndef TRIMS_DEVICE_OPEN_DEVICE_H_
#define TRIMS_DEVICE_OPEN_DEVICE_H_

#include <memory>
#include <string_view>
#include <variant>

#include "trims/status.h"

#include "device/cuda_device.h"
#include "device/device.h"
#include "device/sim_device.h"

namespace trims {

using DeviceOptions = std::variant<SimDeviceOptions, CudaDeviceOptions>;

// INVALID_ARGUMENT says what was expected.
Result<DeviceOptions> ParseDevice(std::string_view text);
// The same, and errors of the kind of device.
Result<std::unique_ptr<Device>> OpenDevice(std::string_view text);

}  // namespace trims

#endif  // TRIMS_DEVICE_OPEN_DEVICE_H_
