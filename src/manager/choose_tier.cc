#include "manager/choose_tier.h"

#include <cstdint>
#include <string>
#include <utility>

namespace trims {
namespace {

constexpr std::string_view kAnyDevice = "any";

std::string NamesOf(const SegmentTable& tier) {
  std::string name(tier.tier_name());
  if (!tier.device().empty()) name += " (" + std::string(tier.device()) + ")";
  return name;
}

Status NoSuchTier(std::string_view name, const Tiers& tiers) {
  std::string names;
  for (const auto& tier : tiers) names += (names.empty() ? "" : ", ") + NamesOf(*tier);
  return Status(StatusCode::kNotFound,
                "there is no tier '" + std::string(name) + "'; there is " + names,
                "leave the tier out for the host's memory");
}

// How near the image is, then how much room there is.
std::pair<int, uint64_t> Fitness(const SegmentTable& tier, const Image& image) {
  const uint64_t room = tier.budget().limit() - tier.budget().used();
  const Segment* segment = tier.FindByKey(image.key);
  if (segment == nullptr) return {0, room};
  switch (segment->state()) {
    case SegmentState::kResident:
      return {2, room};
    case SegmentState::kReserved:
    case SegmentState::kLoading:
      return {1, room};
    default:
      return {0, room};
  }
}

}  // namespace

Result<SegmentTable*> FindTier(std::string_view name, const Tiers& tiers) {
  if (name.empty()) return tiers.front().get();
  for (const auto& tier : tiers) {
    if (tier->tier_name() == name || tier->device() == name) return tier.get();
  }
  return NoSuchTier(name, tiers);
}

Result<SegmentTable*> ChooseTier(std::string_view wanted, const Image& image, const Tiers& tiers) {
  if (wanted != kAnyDevice) return FindTier(wanted, tiers);
  SegmentTable* best = nullptr;
  for (const auto& tier : tiers) {
    if (tier->device().empty()) continue;
    if (best == nullptr || Fitness(*tier, image) > Fitness(*best, image)) best = tier.get();
  }
  if (best != nullptr) return best;
  return Status(StatusCode::kNotFound, "there is no device",
                "start trimsd with --device, or leave the tier out for the host's memory");
}

}  // namespace trims
