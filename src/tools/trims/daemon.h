// ConnectToDaemon: the daemon that a command talks to, started if that is allowed and none runs.
#ifndef TRIMS_TOOLS_TRIMS_DAEMON_H_
#define TRIMS_TOOLS_TRIMS_DAEMON_H_

#include <string>

#include "trims/admin.h"
#include "trims/status.h"

#include "tools/trims/context.h"

namespace trims::cli {

// UNAVAILABLE: none runs, and starting one is forbidden (--no-autostart, --socket,
// TRIMS_AUTOSTART=0, TRIMS_SOCKET) or failed.
Result<Admin> ConnectToDaemon(const Context& context);

// Whether ConnectToDaemon() may start a daemon.
bool AutostartAllowed(const Globals& globals);

// The trimsd that would be started: $TRIMSD, else beside this program, else from $PATH. Empty:
// none.
std::string FindDaemonProgram();

// The socket that is tried: what was asked for, else $TRIMS_SOCKET, else the user's if it is there,
// else the system's if it is there, else the user's.
std::string SocketInUse(const Globals& globals);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_DAEMON_H_
