// RemoteDevice: a device whose driver lives in a process of its own, trims-device, so that a driver that crashes
// or hangs takes nothing else along.
//
// Each call is one exchange. A process that has ended, or has not answered in time and is killed then, takes
// what it held along: calls for that are UNAVAILABLE from then on, and the next Allocate() starts a new one.
// Descriptors that were exported before are the caller's.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Device> device,
//                          StartRemoteDevice({.command = {"/usr/bin/trims-device", "sim:0"}}));
//
// Thread-safety: as Device; calls wait for each other.
#ifndef TRIMS_DEVICE_REMOTE_DEVICE_H_
#define TRIMS_DEVICE_REMOTE_DEVICE_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "trims/status.h"

#include "device/device.h"

namespace trims {

struct RemoteDeviceOptions {
  // Absolute path of trims-device, and its arguments. It keeps LD_LIBRARY_PATH, CUDA_VISIBLE_DEVICES and
  // CUDA_DEVICE_ORDER.
  std::vector<std::string> command;
  std::chrono::milliseconds patience{std::chrono::seconds(30)};  // for one answer
};

// Waits until the device has said what it is. Errors of the program's start, and what the device says
// instead.
Result<std::unique_ptr<Device>> StartRemoteDevice(const RemoteDeviceOptions& options);

}  // namespace trims

#endif  // TRIMS_DEVICE_REMOTE_DEVICE_H_
