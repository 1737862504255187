// What trimsd asks of the kernel for its own process before anything else. Thread-safety: before
// there are threads.
#ifndef TRIMS_TOOLS_TRIMSD_PROCESS_SETUP_H_
#define TRIMS_TOOLS_TRIMSD_PROCESS_SETUP_H_

#include <cstdint>
#include <string>

#include "trims/status.h"

namespace trims::daemon {

// Ignores SIGPIPE, creates files for its user alone, and raises the limit on open files as far as
// it may. Returns that limit.
uint64_t SetUpProcess();

// FAILED_PRECONDITION if a daemon that may open `limit` files could hardly serve anybody. 0, where
// the limit is not known, is no reason.
Status CheckOpenFiles(uint64_t limit);

// Installs the plan of TRIMS_FAULT if `allowed`; without leave it is ignored with a warning.
Status SetUpFaultInjection(bool allowed);

// From here on the process ends, whatever still runs, when `seconds` have passed: a load that hangs
// in the kernel can't hold up a stop for ever. Everything that must be kept is on disk by then.
void EndWithin(unsigned seconds);

// The trims-prepare that belongs to this daemon: `wanted` if given, else beside this program, in
// ../libexec/trims, on PATH. FAILED_PRECONDITION says
// where it looked.
Result<std::string> FindPreparer(const std::string& wanted);
// Likewise the trims-device, and the trims-keeper.
Result<std::string> FindDeviceProgram();
Result<std::string> FindKeeperProgram();

// Says on descriptor `fd` that the daemon serves, and closes it. -1: nobody asked.
void TellReady(int fd);

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_PROCESS_SETUP_H_
