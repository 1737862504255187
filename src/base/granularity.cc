#include "base/granularity.h"

#include <cstddef>
#include <iterator>
#include <string>

namespace trims {
namespace {

// Indexed by the enum's values.
constexpr std::string_view kNames[] = {"model", "block", "layer"};

}  // namespace

std::string_view GranularityName(Granularity granularity) {
  const auto value = static_cast<size_t>(granularity);
  return value < std::size(kNames) ? kNames[value] : "unknown";
}

Result<Granularity> GranularityFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Granularity>(i);
  }
  return Status(StatusCode::kInvalidArgument,
                "no granularity '" + std::string(name) + "': expected model, block or layer",
                "choose one of them, or leave it out for the daemon's default");
}

}  // namespace trims
