// DieWithParent: no preparer outlives the daemon that wanted its result, however that one ended.
//
//   TRIMS_RETURN_IF_ERROR(DieWithParent(progress_fd));
//
// Call it first thing, on the first thread.
#ifndef TRIMS_PREPARE_DIE_WITH_PARENT_H_
#define TRIMS_PREPARE_DIE_WITH_PARENT_H_

#include "trims/status.h"

namespace trims {

// From here on the kernel kills this process when the thread that started it ends. CANCELLED: it
// has ended already. `pipe` tells that: its other end is the parent's alone, so nobody holds it any
// more. (getppid(2) could not: a daemon may be process 1 of its container.)
Status DieWithParent(int pipe);

}  // namespace trims

#endif  // TRIMS_PREPARE_DIE_WITH_PARENT_H_
