#include "wire/principal.h"

#include <sys/socket.h>

#include "base/errno_status.h"

namespace trims::wire {

Result<Principal> PeerOf(int socket) {
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return ErrnoStatus("asking the kernel who is at the other end");
  return Principal{.uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid};
}

}  // namespace trims::wire
