// SimDevice: a device that is none: its memory is the host's, its wire a model.
//
// For machines and tests without a device: the bytes are real, so what a function computes from them can be
// checked, and they are shared in the same way. It has a capacity, a granularity, and a link on which a copy
// takes as long as on the modelled wire, or longer where this machine is slower. The faults of
// base/fault.h that begin with "device" make its calls fail; a copy that fails with ENODEV loses the device, and
// nothing but freeing goes any more. From a peer bytes come on the wire from the host, unless it has one of its own, or none.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<Device> device,
//                          MakeSimDevice({.number = 0, .capacity = uint64_t{8} << 30}));
//
// Thread-safety: as Device.
#ifndef TRIMS_DEVICE_SIM_DEVICE_H_
#define TRIMS_DEVICE_SIM_DEVICE_H_

#include <chrono>
#include <cstdint>
#include <memory>

#include "trims/status.h"

#include "device/device.h"
#include "device/link.h"

namespace trims {

struct SimDeviceOptions {
  int number = 0;
  uint64_t capacity = 0;                     // bytes
  uint64_t granularity = uint64_t{2} << 20;  // bytes, a power of two, at least a page
  LinkModel link = {};                       // from the host
  // From other simulated devices: by the wire from the host, by one of its own with the same latency (bytes a second), or not at all.
  enum class Peers { kByHostLink, kByOwnLink, kNone };
  Peers peers = Peers::kByHostLink;
  uint64_t peer_bytes_per_second = 0;
};

// INVALID_ARGUMENT: a capacity below the granularity, or a granularity that is none.
Result<std::unique_ptr<Device>> MakeSimDevice(const SimDeviceOptions& options);

}  // namespace trims

#endif  // TRIMS_DEVICE_SIM_DEVICE_H_
