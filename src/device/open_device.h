// OpenDevice: a device from what a person wrote for it.
//
//   sim:0                                  a simulated device of 4 GiB
//   sim:0,capacity=8GiB,link=12GB,latency=10us,granularity=2MiB
//
// `link` is what the wire from the host carries in a second; without it copies take what they take.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Device> device, OpenDevice("sim:0,capacity=8GiB"));
//
// Thread-safety: a function of its text.
#ifndef TRIMS_DEVICE_OPEN_DEVICE_H_
#define TRIMS_DEVICE_OPEN_DEVICE_H_

#include <memory>
#include <string_view>

#include "trims/status.h"

#include "device/device.h"
#include "device/sim_device.h"

namespace trims {

// INVALID_ARGUMENT says what was expected; UNIMPLEMENTED: a kind of device that this trimsd can't use.
Result<SimDeviceOptions> ParseDevice(std::string_view text);
Result<std::unique_ptr<Device>> OpenDevice(std::string_view text);

}  // namespace trims

#endif  // TRIMS_DEVICE_OPEN_DEVICE_H_
