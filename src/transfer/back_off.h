// When to try again: exponential, with full jitter, so that many who failed together don't return
// together; and not before the server said.
//
//   const Duration pause = PauseBefore(2, patience, retry_after, random);
//
// Thread-safety: pure functions.
#ifndef TRIMS_TRANSFER_BACK_OFF_H_
#define TRIMS_TRANSFER_BACK_OFF_H_

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "transfer/http.h"

namespace trims {

// Before attempt number `attempt`, the first of which is 1 and has no pause. `random` is in [0, 1).
// `retry_after` counts up to kLongestRetryAfter.
Duration PauseBefore(int attempt, const HttpPatience& patience, std::optional<Duration> retry_after,
                     double random);

inline constexpr Duration kLongestRetryAfter = std::chrono::seconds(60);

// The header's value in seconds; nothing for a date or anything else.
std::optional<Duration> ParseRetryAfter(std::string_view value);

}  // namespace trims

#endif  // TRIMS_TRANSFER_BACK_OFF_H_
