#include "prepare/die_with_parent.h"

#include <poll.h>
#include <sys/prctl.h>

#include <csignal>

#include "base/errno_status.h"

namespace trims {

Status DieWithParent(int pipe) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return ErrnoStatus("PR_SET_PDEATHSIG");
  // A process that ends closes its descriptors before its children are signalled: a parent that
  // ended too early for the signal has left the pipe without a reader.
  pollfd writer = {.fd = pipe, .events = 0, .revents = 0};
  if (::poll(&writer, 1, 0) < 0) return ErrnoStatus("poll of the pipe for progress");
  if ((writer.revents & POLLERR) == 0) return Status();
  return Status(StatusCode::kCancelled, "nobody waits for the result any more");
}

}  // namespace trims
