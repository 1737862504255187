// The exit codes of `trims`: part of its contract (docs/cli.md), so values are never reused.
#ifndef TRIMS_TOOLS_TRIMS_EXIT_CODES_H_
#define TRIMS_TOOLS_TRIMS_EXIT_CODES_H_

#include "trims/status.h"

namespace trims::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure =
    1;  // anything without a code of its own; `doctor`: a check failed
inline constexpr int kExitUsage = 2;        // the command line, or what it names, is malformed
inline constexpr int kExitNotFound = 3;     // no such model, file or folder
inline constexpr int kExitUnavailable = 4;  // no daemon, or it went away
inline constexpr int kExitPermissionDenied = 5;
inline constexpr int kExitNoRoom = 6;    // too large, over a quota, or no memory now
inline constexpr int kExitConflict = 7;  // the name is taken, or the state forbids it
inline constexpr int kExitDeadline = 8;

int ExitCodeFor(StatusCode code);

}  // namespace trims::cli

#endif  // TRIMS_TOOLS_TRIMS_EXIT_CODES_H_
