// CheckSocketFolder: whether the folder of a socket can be trusted to hold the socket of this
// user's or root's daemon.
//
// Whoever may write the folder may put a socket of their own there and serve wrong weights.
// Accepted: a folder of this user or root that nobody else may write; and a sticky one (like /tmp)
// if the socket itself is this user's or root's.
#ifndef TRIMS_WIRE_SOCKET_FOLDER_H_
#define TRIMS_WIRE_SOCKET_FOLDER_H_

#include <string>

#include "trims/status.h"

namespace trims::wire {

// kGuessed: a path of our own choosing, such as /tmp/trims-<uid>. kConfigured: somebody named the
// path; then a folder whose owner does not exist in this user namespace is accepted, since only who
// made the container could mount it.
enum class PathOrigin { kGuessed, kConfigured };

// NOT_FOUND: no such folder. PERMISSION_DENIED: not to be trusted; message and hint say what to
// change.
Status CheckSocketFolder(const std::string& socket_path, PathOrigin origin);

// The folder part of `path`; "." if it has none.
std::string FolderOf(const std::string& path);

}  // namespace trims::wire

#endif  // TRIMS_WIRE_SOCKET_FOLDER_H_
