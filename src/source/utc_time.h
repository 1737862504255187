// ParseUtcTime: "2026-11-26T12:00:00Z", as services write when something expires.
// Thread-safety: a pure function.
#ifndef TRIMS_SOURCE_UTC_TIME_H_
#define TRIMS_SOURCE_UTC_TIME_H_

#include <chrono>
#include <string_view>

#include "trims/status.h"

namespace trims {

// Fractions of a second are passed over. INVALID_ARGUMENT: it is no time, or not in UTC ("Z").
Result<std::chrono::system_clock::time_point> ParseUtcTime(std::string_view text);

}  // namespace trims

#endif  // TRIMS_SOURCE_UTC_TIME_H_
