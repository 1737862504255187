// What a person writes for a while, and reads.
//
// Thread-safety: pure functions.
#ifndef TRIMS_BASE_DURATION_TEXT_H_
#define TRIMS_BASE_DURATION_TEXT_H_

#include <chrono>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

inline constexpr std::chrono::hours kLongestDuration(24 * 366);

// "90s", "5m", "1h", "30d", "250ms"; "off" and "0" are zero. INVALID_ARGUMENT says what is accepted.
Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

// In the largest of those units that leaves no rest: "90s", "10m", "0s". ParseDuration reads it.
std::string DurationText(std::chrono::milliseconds duration);

}  // namespace trims

#endif  // TRIMS_BASE_DURATION_TEXT_H_
