// EnsureDaemon: the embedded default. Where no socket is configured and none answers, starts a
// per-user trimsd.
//
// For the CLI and the language packages; libtrims itself never starts anything.
//
//     TRIMS_ASSIGN_OR_RETURN(std::string socket, EnsureDaemon());
//     TRIMS_ASSIGN_OR_RETURN(Client client, Client::Connect({.socket_path = socket}));
//
// Of two that start at once one waits for the other (a lock file in the socket's folder). The
// daemon runs detached, in a session of its own, with its log in that folder, and leaves by itself
// after some idle time. Thread-safety: safe.
#ifndef TRIMS_CLIENT_AUTOSTART_H_
#define TRIMS_CLIENT_AUTOSTART_H_

#include <chrono>
#include <string>

#include "trims/status.h"

namespace trims {

struct AutostartOptions {
  std::string
      socket_path;      // as ClientOptions::socket_path: if somebody names one, nothing is started
  std::string program;  // trimsd; empty: $TRIMSD, else beside this program, else from $PATH
  std::string data_folder;  // empty: $XDG_DATA_HOME/trims, else ~/.local/share/trims
  std::string idle_exit = "10min";
  std::chrono::milliseconds patience = std::chrono::seconds(10);  // until it says that it is ready
};

// The path of a socket, at which a daemon answers unless the path was configured. UNAVAILABLE: none
// answers and TRIMS_AUTOSTART=0 forbids to start one, or there is no trimsd to run, or no place for
// its socket, or it died at once (the message ends with the tail of its log); PERMISSION_DENIED: the
// socket's folder is somebody else's or may be written by others; DEADLINE_EXCEEDED: it did not get
// ready.
Result<std::string> EnsureDaemon(const AutostartOptions& options = {});

// Where a daemon that EnsureDaemon() starts without a data_folder keeps its models.
std::string UserDataFolder();

}  // namespace trims

#endif  // TRIMS_CLIENT_AUTOSTART_H_
