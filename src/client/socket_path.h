// SocketCandidates: where a daemon may listen, in the order in which a client tries.
//
// Thread-safety: safe while nobody changes the environment.
#ifndef TRIMS_CLIENT_SOCKET_PATH_H_
#define TRIMS_CLIENT_SOCKET_PATH_H_

#include <string>
#include <vector>

#include "wire/socket_folder.h"

namespace trims::client {

struct SocketCandidate {
  std::string path;
  wire::PathOrigin origin;
};

// `configured`, else $TRIMS_SOCKET, alone; else the per-user socket and the system one.
std::vector<SocketCandidate> SocketCandidates(const std::string& configured);

// The hint of every error that says that no daemon answers. `named`: the socket that somebody named;
// empty: none is, and the usual places were tried.
std::string HowToStart(const std::string& named);

}  // namespace trims::client

#endif  // TRIMS_CLIENT_SOCKET_PATH_H_
