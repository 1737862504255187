// Places: where a daemon serves and keeps its things, and the locks that say that it is the only
// one to do so.
//
//   TRIMS_ASSIGN_OR_RETURN(Places places, Places::Claim(options));
//
// Ownership: the locks are held, and nobody else's daemon can claim the same socket or data, until
// it goes. Thread-safety: a value.
#ifndef TRIMS_TOOLS_TRIMSD_PLACES_H_
#define TRIMS_TOOLS_TRIMSD_PLACES_H_

#include <string>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "tools/trimsd/options.h"

namespace trims::daemon {

class Places {
 public:
  // Makes the socket's folder and the data folder if they are missing, and locks both.
  // ALREADY_EXISTS: another daemon serves that socket or uses that data. PERMISSION_DENIED: the
  // socket's folder is somebody else's or can be written by others, so that they could put a socket
  // of their own there.
  static Result<Places> Claim(const DaemonOptions& options);

  Places(Places&&) = default;
  Places& operator=(Places&&) = default;

  const std::string& socket() const { return socket_; }
  const std::string& data() const { return data_; }

  // Once the socket is bound: remembers which file it is.
  Status NoteSocket();
  // Takes the socket's name away while the lock is still held, so that it can't be a successor's.
  // What somebody else has put there meanwhile stays.
  void RemoveSocket();

 private:
  Places() = default;
  std::string socket_;
  std::string data_;
  UniqueFd bound_;  // O_PATH: while it is open no other file can have its inode number
  UniqueFd socket_lock_;
  UniqueFd data_lock_;
};

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_PLACES_H_
