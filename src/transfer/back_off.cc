#include "transfer/back_off.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace trims {

Duration PauseBefore(int attempt, const HttpPatience& patience, std::optional<Duration> retry_after,
                     double random) {
  if (attempt <= 1) return Duration::zero();
  Duration longest = patience.first_pause;
  for (int i = 2; i < attempt && longest < patience.longest_pause; ++i) longest *= 2;
  longest = std::min(longest, patience.longest_pause);
  const auto pause = std::chrono::duration_cast<Duration>(longest * random);
  return std::max(pause, std::min(retry_after.value_or(Duration::zero()), kLongestRetryAfter));
}

std::optional<Duration> ParseRetryAfter(std::string_view value) {
  uint32_t seconds = 0;
  const char* const end = value.data() + value.size();
  const auto [parsed, error] = std::from_chars(value.data(), end, seconds);
  if (error != std::errc() || parsed != end || value.empty()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

}  // namespace trims
