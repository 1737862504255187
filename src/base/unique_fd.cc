#include "base/unique_fd.h"

#include <fcntl.h>

#include "base/errno_status.h"

namespace trims {

Result<UniqueFd> Duplicate(int fd) {
  UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!copy) return ErrnoStatus("duplicating a descriptor");
  return copy;
}

}  // namespace trims
