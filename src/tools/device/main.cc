// trims-device: the process in which the driver of one device lives. Run by trimsd as a child
// (device/remote_device.h), with the socket between them as descriptor 3; it ends when that hangs up.
//
//   trims-device DEVICE [PLAN]     a device as OpenDevice() takes it; a plan of fault::ParsePlan(), for tests
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "base/child_process.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/macros.h"
#include "device/device_server.h"
#include "device/open_device.h"

namespace trims {
namespace {

Status Serve(const char* text, const char* plan) {
  if (plan != nullptr) {
    TRIMS_ASSIGN_OR_RETURN(const fault::Plan parsed, fault::ParsePlan(plan));
    fault::Install(parsed);
  }
  const Result<std::unique_ptr<Device>> device = OpenDevice(text);
  if (!device.ok()) return RefuseDevice(ChildProcess::kPassedFd, device.status());
  return ServeDevice(ChildProcess::kPassedFd, device->get());
}

}  // namespace
}  // namespace trims

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("trims-device is run by trimsd, for each --device: see man trimsd\n", stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  // Also where a driver hangs, and nobody sees the socket hang up. The thread that started it lives as long as the device.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  const trims::Status status = trims::Serve(argv[1], argc == 3 ? argv[2] : nullptr);
  if (!status.ok()) std::fprintf(stderr, "trims-device: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
