#include "manager/find_tier.h"

#include <string>

namespace trims {
namespace {

Status NoSuchTier(std::string_view tier, const Tiers& tiers) {
  std::string names;
  for (const auto& table : tiers) {
    names += (names.empty() ? "" : ", ") + std::string(table->tier_name());
  }
  return Status(StatusCode::kNotFound,
                "there is no tier '" + std::string(tier) + "'; there is " + names,
                "leave the tier out for the host's memory");
}

}  // namespace

Result<SegmentTable*> FindTier(const Tiers& tiers, std::string_view name) {
  if (name.empty()) return tiers.front().get();
  for (const auto& table : tiers) {
    if (table->tier_name() == name) return table.get();
  }
  return NoSuchTier(name, tiers);
}

}  // namespace trims
