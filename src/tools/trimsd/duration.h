// ParseDuration: what a person writes for a while.
//
// Thread-safety: a pure function.
#ifndef TRIMS_TOOLS_TRIMSD_DURATION_H_
#define TRIMS_TOOLS_TRIMSD_DURATION_H_

#include <chrono>
#include <string_view>

#include "trims/status.h"

namespace trims::daemon {

// "90s", "5m", "1h", "250ms"; "off" and "0" are zero. INVALID_ARGUMENT says what is accepted.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_DURATION_H_
