// KeeperLink: the daemon's end of a connection to a trims-keeper.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<DescriptorKeeper> keeper,
//                          ConnectToKeeper("/run/trims/trimsd.sock.keeper", std::chrono::minutes(5)));
//
// A keeper that doesn't answer, or has gone, is not asked again: everything is UNAVAILABLE from then on.
#ifndef TRIMS_KEEPER_KEEPER_LINK_H_
#define TRIMS_KEEPER_KEEPER_LINK_H_

#include <chrono>
#include <memory>
#include <string>

#include "trims/status.h"

#include "keeper/descriptor_keeper.h"

namespace trims {

// `keep_for` is how long it is to keep what it has once this daemon has gone. NOT_FOUND, UNAVAILABLE: none listens
// there; PERMISSION_DENIED: it is another user's; DEADLINE_EXCEEDED: it doesn't answer; INVALID_ARGUMENT: it is of
// a release with another protocol.
Result<std::unique_ptr<DescriptorKeeper>> ConnectToKeeper(const std::string& path,
                                                          std::chrono::milliseconds keep_for);

}  // namespace trims

#endif  // TRIMS_KEEPER_KEEPER_LINK_H_
