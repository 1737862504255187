// How fast bytes come, and how long the rest of them takes: the same arithmetic wherever progress is shown.
//
//   const uint64_t rate = BytesPerSecond(done, clock.Now() - began);
//   const std::optional<std::chrono::milliseconds> left = RemainingTime(total - done, rate);
//
// Pure.
#ifndef TRIMS_BASE_BYTE_RATE_H_
#define TRIMS_BASE_BYTE_RATE_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace trims {

// The mean; 0: none yet.
constexpr uint64_t BytesPerSecond(uint64_t bytes, Duration elapsed) {
  if (elapsed <= Duration::zero()) return 0;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  constexpr double kMost = 1e18;  // the largest that fits, or nearly
  return static_cast<uint64_t>(std::min(kMost, static_cast<double>(bytes) / seconds));
}

// Rounded up, a year at the most. Empty where there is no rate.
constexpr std::optional<std::chrono::milliseconds> RemainingTime(uint64_t bytes,
                                                                 uint64_t bytes_per_second) {
  if (bytes_per_second == 0) return std::nullopt;
  const double seconds = static_cast<double>(bytes) / static_cast<double>(bytes_per_second);
  constexpr std::chrono::duration<double> kMost(kLongestWait);
  return std::chrono::ceil<std::chrono::milliseconds>(
      std::min(kMost, std::chrono::duration<double>(seconds)));
}

}  // namespace trims

#endif  // TRIMS_BASE_BYTE_RATE_H_
