// StartDetached: a program that outlives its starter and never becomes its zombie.
#ifndef TRIMS_CLIENT_DETACHED_PROCESS_H_
#define TRIMS_CLIENT_DETACHED_PROCESS_H_

#include <string>
#include <vector>

#include "trims/status.h"

namespace trims::client {

// The descriptor number at which the program finds `inherited`.
inline constexpr int kInheritedFd = 3;

// Runs arguments[0], a path, in a session of its own, in "/", with nothing on standard input, `log`
// as standard output and error, and `inherited` as descriptor 3; no other descriptor, no blocked
// signal. That exec failed is written to `log`.
Status StartDetached(const std::vector<std::string>& arguments, int log, int inherited);

}  // namespace trims::client

#endif  // TRIMS_CLIENT_DETACHED_PROCESS_H_
