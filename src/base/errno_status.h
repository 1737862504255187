// ErrnoStatus: what a failed system call means, as a Status.
#ifndef TRIMS_BASE_ERRNO_STATUS_H_
#define TRIMS_BASE_ERRNO_STATUS_H_

#include <cerrno>
#include <string>

#include "trims/status.h"

namespace trims {

// "<what>: <strerror(error)> [ENAME]". ENOENT is NOT_FOUND; EACCES and EPERM are PERMISSION_DENIED;
// ENOMEM, ENOSPC, EMFILE, ENFILE, EDQUOT are RESOURCE_EXHAUSTED; ECONNREFUSED, ECONNRESET, EPIPE
// are UNAVAILABLE; EIO is DATA_LOSS; ENOSYS and EOPNOTSUPP are UNIMPLEMENTED; ETIMEDOUT and EAGAIN
// are DEADLINE_EXCEEDED; anything else is INTERNAL.
Status ErrnoStatus(const std::string& what, int error = errno);

}  // namespace trims

#endif  // TRIMS_BASE_ERRNO_STATUS_H_
