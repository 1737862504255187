#include "base/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/errno_status.h"

namespace trims {

Result<Pipe> MakePipe(int flags) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | flags) != 0) return ErrnoStatus("making a pipe");
  return Pipe{.read = UniqueFd(ends[0]), .write = UniqueFd(ends[1])};
}

}  // namespace trims
