#include "store/tier_policy.h"

#include <string>

namespace trims {

std::string_view ReclaimName(Reclaim reclaim) {
  return reclaim == Reclaim::kEager ? "eager" : "lazy";
}

Result<Reclaim> ParseReclaim(std::string_view name) {
  for (const Reclaim reclaim : {Reclaim::kEager, Reclaim::kLazy}) {
    if (name == ReclaimName(reclaim)) return reclaim;
  }
  return Status(StatusCode::kInvalidArgument, "there is no reclaim '" + std::string(name) + "'",
                "use one of eager, lazy");
}

}  // namespace trims
