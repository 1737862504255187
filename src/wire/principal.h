// Principal: who is at the other end of a connection, as the kernel says, never as the client says.
#ifndef TRIMS_WIRE_PRINCIPAL_H_
#define TRIMS_WIRE_PRINCIPAL_H_

#include <sys/types.h>

#include <string>

#include "trims/status.h"

namespace trims::wire {

// As of connect(2), translated into this process's namespaces. pid 0: a process this one can't see.
struct Principal {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
};

// SO_PEERCRED of a connected Unix socket.
Result<Principal> PeerOf(int socket);

}  // namespace trims::wire

#endif  // TRIMS_WIRE_PRINCIPAL_H_
