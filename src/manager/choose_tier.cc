#include "manager/choose_tier.h"

#include <algorithm>
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
                name == "disk" ? "only prefetch and policy know the disk: leave the tier out"
                               : "leave the tier out for the host's memory");
}

// 2: there, 1: on its way, 0: elsewhere, -1: it could never be there.
int NearnessOf(const SegmentTable& tier, const ImagePtr& image) {
  const ImagePtr& form = tier.FormOf(image);
  if (!tier.CheckPutsTogether(*form).ok()) return -1;
  int nearness = 2;
  for (const ImagePtr& part : PartsOf(form)) {
    const Segment* segment = tier.FindByKey(part->key);
    const SegmentState state = segment == nullptr ? SegmentState::kAbsent : segment->state();
    if (state == SegmentState::kResident) continue;
    nearness = std::min(nearness, Comes(state) ? 1 : 0);
  }
  if (nearness > 0) return nearness;
  return tier.FootprintOf(*form) <= tier.budget().limit() ? 0 : -1;
}

// How near the image is, then how much room there is.
std::pair<int, uint64_t> Fitness(const SegmentTable& tier, const ImagePtr& image) {
  return {NearnessOf(tier, image), tier.budget().free()};
}

}  // namespace

Result<SegmentTable*> FindTier(std::string_view name, const Tiers& tiers) {
  if (name.empty()) return tiers.front().get();
  for (const auto& tier : tiers) {
    if (tier->tier_name() == name || tier->device() == name) return tier.get();
  }
  return NoSuchTier(name, tiers);
}

Result<SegmentTable*> ChooseTier(std::string_view wanted, const ImagePtr& image,
                                 const Tiers& tiers) {
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

const ImagePtr& UsualVariant(const std::vector<ImagePtr>& images) {
  for (const Variant kind : {Variant::kOrt, Variant::kTensors}) {
    for (const ImagePtr& image : images) {
      if (image->kind == kind) return image;
    }
  }
  return images.front();
}

}  // namespace trims
