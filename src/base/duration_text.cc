#include "base/duration_text.h"

#include <charconv>
#include <cstdint>
#include <string>

namespace trims {
namespace {

struct DurationUnit {
  std::string_view name;
  int64_t milliseconds;
};

constexpr DurationUnit kDurationUnits[] = {{"ms", 1},       {"s", 1000},      {"m", 60'000},
                                           {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr int64_t kMost = std::chrono::milliseconds(kLongestDuration).count();

Status BadDuration(std::string_view text) {
  return Status(StatusCode::kInvalidArgument,
                "'" + std::string(text) +
                    "' is no duration: expected a number with ms, s, m, h or d, "
                    "at most a year, such as 90s, or off");
}

}  // namespace

Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text == "off" || text == "0") return std::chrono::milliseconds(0);
  int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return BadDuration(text);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const DurationUnit& candidate : kDurationUnits) {
    if (candidate.name != unit) continue;
    if (count > kMost / candidate.milliseconds) return BadDuration(text);
    return std::chrono::milliseconds(count * candidate.milliseconds);
  }
  return BadDuration(text);
}

std::string DurationText(std::chrono::milliseconds duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const DurationUnit& unit :
       {kDurationUnits[5], kDurationUnits[4], kDurationUnits[2], kDurationUnits[1]}) {
    if (count % unit.milliseconds == 0)
      return std::to_string(count / unit.milliseconds) + std::string(unit.name);
  }
  return std::to_string(count) + "ms";
}

}  // namespace trims
