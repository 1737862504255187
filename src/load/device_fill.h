// DeviceFill: brings an image into a device's memory, from the tier beneath.
//
//   TRIMS_ASSIGN_OR_RETURN(ResidentBytes bytes, FillDevice(request, device));
//
// Blocks for as long as that takes. Thread-safety: safe.
#ifndef TRIMS_LOAD_DEVICE_FILL_H_
#define TRIMS_LOAD_DEVICE_FILL_H_

#include "trims/status.h"

#include "device/device.h"
#include "load/tier.h"
#include "store/resident_bytes.h"

namespace trims {

// CANCELLED by the request's control; why the fill failed that it follows; otherwise as DeviceMemory's
// and Device's members.
Result<ResidentBytes> FillDevice(const FillRequest& request, Device* device);

}  // namespace trims

#endif  // TRIMS_LOAD_DEVICE_FILL_H_
