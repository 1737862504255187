// Seals: what makes a memfd content that nobody can change any more.
//
//   TRIMS_RETURN_IF_ERROR(CheckSealed(fd));
//
// Thread-safety: safe.
#ifndef TRIMS_BASE_SEALS_H_
#define TRIMS_BASE_SEALS_H_

#include <fcntl.h>

#include "trims/status.h"

namespace trims {

inline constexpr int kAllSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

// FAILED_PRECONDITION: no memfd, or one that lacks one of these seals, and so may still change.
Status CheckSealed(int fd);

}  // namespace trims

#endif  // TRIMS_BASE_SEALS_H_
