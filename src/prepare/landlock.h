// Landlock: restricts which files this process may open, by the kernel's own security module
// (Linux 5.13 and later).
//
// It can't be undone, and holds for the calling thread and those it starts later.
#ifndef TRIMS_PREPARE_LANDLOCK_H_
#define TRIMS_PREPARE_LANDLOCK_H_

#include <string>
#include <vector>

#include "trims/status.h"

namespace trims {

struct LandlockPaths {
  std::vector<std::string> readable;  // files and folders; those that are not there are passed over
  std::vector<std::string> writable;  // folders
};

// 0: the kernel has none, or it is switched off.
int LandlockAbi();

// Everything else on disk is out of reach from now on; on newer kernels TCP, signals to other
// processes and abstract sockets as well. Needs no_new_privs. UNIMPLEMENTED: LandlockAbi() is 0.
Status RestrictToPaths(const LandlockPaths& paths);

}  // namespace trims

#endif  // TRIMS_PREPARE_LANDLOCK_H_
