#include "store/tier_policy.h"

#include <algorithm>

#include "base/duration_text.h"

namespace trims {

Reclaim Longer(const Reclaim& a, const Reclaim& b) {
  if (!a.after || !b.after) return Reclaim::kLazy;
  return {.after = std::max(*a.after, *b.after)};
}

std::string ReclaimText(const Reclaim& reclaim) {
  if (reclaim == Reclaim::kEager) return "eager";
  return reclaim.after ? DurationText(*reclaim.after) : "lazy";
}

std::string KeepAliveText(const Reclaim& reclaim) {
  return reclaim.after ? DurationText(*reclaim.after) : "forever";
}

Result<Reclaim> ParseReclaim(std::string_view text) {
  if (text == "eager") return Reclaim::kEager;
  if (text == "lazy") return Reclaim::kLazy;
  const Result<std::chrono::milliseconds> after = ParseDuration(text);
  if (after.ok() && text != "off") return Reclaim{.after = *after};
  return Status(StatusCode::kInvalidArgument, "there is no reclaim '" + std::string(text) + "'",
                "use eager, lazy, or how long a model stays that nobody has open: 10m");
}

}  // namespace trims
