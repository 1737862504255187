#include "wire/fixed_message.h"

#include <poll.h>

#include <cerrno>

#include "base/errno_status.h"

namespace trims::wire {

Status WaitReadable(int fd, int deadline_ms) {
  pollfd waited{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&waited, 1, deadline_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) return ErrnoStatus("waiting for another process");
  if (ready > 0) return Status();
  return Status(StatusCode::kDeadlineExceeded,
                "no answer within " + std::to_string(deadline_ms) + " ms");
}

}  // namespace trims::wire
