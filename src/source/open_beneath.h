// OpenFileBeneath: a file of a folder and never one outside it, whatever links lie on the way.
#ifndef TRIMS_SOURCE_OPEN_BENEATH_H_
#define TRIMS_SOURCE_OPEN_BENEATH_H_

#include <string>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

// Opens `root` + "/" + `relative` for reading, without waiting for a FIFO's writer. With openat2
// links that stay inside `root` are followed; before Linux 5.6 none is. INVALID_ARGUMENT:
// `relative` is empty, absolute, or has an empty, "." or ".." part; PERMISSION_DENIED: a link leads
// out; else what errno means (base/errno_status.h).
Result<UniqueFd> OpenFileBeneath(const std::string& root, const std::string& relative);

namespace internal {
// ENXIO: a socket, or a device that isn't there.
Status OpenFailed(const std::string& name, int error);

// The way for kernels without openat2: one part at a time, no link followed. For tests.
UniqueFd WalkBeneath(int root, const std::string& relative);
}  // namespace internal

}  // namespace trims

#endif  // TRIMS_SOURCE_OPEN_BENEATH_H_
