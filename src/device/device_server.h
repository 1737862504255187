// ServeDevice: the inside of trims-device: does with one device what the daemon asks for.
//
//   return ServeDevice(socket, device.get());
//
// Thread-safety: one thread.
#ifndef TRIMS_DEVICE_DEVICE_SERVER_H_
#define TRIMS_DEVICE_DEVICE_SERVER_H_

#include "trims/status.h"

#include "device/device.h"

namespace trims {

// Until the peer hangs up, which is OK; then everything it had is freed. INVALID_ARGUMENT: the peer said what
// can't be understood, and everything is over.
Status ServeDevice(int socket, Device* device);

// Where there is no device: the first request is answered with why.
Status RefuseDevice(int socket, const Status& why);

}  // namespace trims

#endif  // TRIMS_DEVICE_DEVICE_SERVER_H_
