#include "manager/pinned_models.h"

#include <algorithm>
#include <map>

#include "base/bytes_text.h"
#include "catalog/resolve.h"
#include "manager/take_snapshot.h"

namespace trims {
namespace {

// What a tier can't have at all, it can't have in a minute.
bool MayComeLater(const Status& not_brought) {
  return !not_brought.ok() && not_brought.code() != StatusCode::kUnimplemented;
}

// Of which images, by the parts' keys; each counts once.
class Footprints {
 public:
  explicit Footprints(const SegmentTable& tier) : tier_(tier) {}

  // What it adds.
  uint64_t Add(const ImagePtr& image) {
    uint64_t added = 0;
    for (const ImagePtr& part : PartsOf(tier_.FormOf(image))) {
      if (keys_.insert(part->key).second) added += tier_.FootprintOf(*part);
    }
    total_ += added;
    return added;
  }
  uint64_t total() const { return total_; }

 private:
  const SegmentTable& tier_;
  std::set<std::string> keys_;
  uint64_t total_ = 0;
};

}  // namespace

ImagePtr PinnedModels::ImageOf(const PinnedVariant& pin) const {
  Result<ImagePtr> image = ResolveVariant(*catalog_, pin.name + ":" + pin.version, pin.kind, "");
  return image.ok() ? *std::move(image) : nullptr;
}

void PinnedModels::Start() {
  for (const PinnedVariant& pin : catalog_->Pins()) {
    const Result<SegmentTable*> tier = FindTier(pin.tier, *tiers_);
    if (!tier.ok()) LogNotBrought("pin", pin.name + ":" + pin.version, tier.status());
  }
  Apply();
  Load();
}

void PinnedModels::Apply() {
  std::map<std::string, std::set<std::string>> keys;
  for (const PinnedVariant& pin : catalog_->Pins()) {
    const ImagePtr image = ImageOf(pin);
    if (image == nullptr) continue;
    const Result<SegmentTable*> tier = FindTier(pin.tier, *tiers_);
    const ImagePtr& form = tier.ok() ? (*tier)->FormOf(image) : image;
    for (const ImagePtr& part : PartsOf(form)) keys[pin.tier].insert(part->key);
  }
  for (const auto& tier : *tiers_) tier->SetPinned(keys[std::string(tier->tier_name())]);
}

void PinnedModels::Load() {
  if (loading_) return;  // which looks at all of them
  tried_.clear();
  LoadNext();
}

// One after the other: those of a device pass through the host's memory, which need not hold all of them at once.
void PinnedModels::LoadNext() {
  for (const PinnedVariant& pin : catalog_->Pins()) {
    const Result<SegmentTable*> tier = FindTier(pin.tier, *tiers_);
    const ImagePtr image = ImageOf(pin);
    if (!tier.ok() || image == nullptr) continue;  // it waits until that is back
    if (IsThereOrComes(ControlledOf(image, **tier).state)) continue;
    if (!tried_.emplace(*tier, image->key).second) continue;
    loading_ = true;
    bringer_.Bring(*tier, {image}, {}, [this, image](const Result<std::vector<Lease>>& leases) {
      if (!leases.ok()) LogNotBrought("pin", image->reference, leases.status());
      failed_ = failed_ || MayComeLater(leases.status());
      LoadNext();
    });
    return;
  }
  loading_ = false;
  Retry();
}

// One timer, however often the catalog changes meanwhile.
void PinnedModels::Retry() {
  timers_->Cancel(std::exchange(timer_, 0));
  if (!std::exchange(failed_, false)) {
    back_off_ = kFirstBackOff;
    return;
  }
  timer_ = timers_->CallAfter(back_off_, alive_.Only([this] {
    timer_ = 0;
    Load();
  }));
  back_off_ = std::min(2 * back_off_, kMostBackOff);
}

Status PinnedModels::CheckFits(const Wanted& wanted,
                               const std::set<PinnedVariant>& being_written) const {
  const SegmentTable& tier = *wanted.tier;
  std::set<PinnedVariant> pins = catalog_->Pins();
  pins.insert(being_written.begin(), being_written.end());
  Footprints footprints(tier);
  std::string others;
  for (const PinnedVariant& pin : pins) {
    const ImagePtr image = pin.tier == tier.tier_name() ? ImageOf(pin) : nullptr;
    const uint64_t footprint = image == nullptr ? 0 : footprints.Add(image);
    if (footprint == 0) continue;
    others += (others.empty() ? "" : ", ") + image->reference + " (" + BytesText(footprint) + ")";
  }
  const uint64_t pinned = footprints.total();
  for (const ImagePtr& image : wanted.images) footprints.Add(image);
  const uint64_t takes = footprints.total() - pinned;
  const uint64_t limit = tier.budget().limit();
  // What is too large by itself is told so when it is to be loaded.
  if (takes == 0 || footprints.total() <= limit || takes > limit) return {};
  return Status(StatusCode::kResourceExhausted,
                "pinning '" + wanted.reference + "' takes " + BytesText(takes) + ", and " +
                    BytesText(pinned) + " of the " + BytesText(limit) + " of tier '" +
                    std::string(tier.tier_name()) + "' are pinned already: " + others,
                "trims unpin one of them, or " + tier.budget().HowToRaise());
}

}  // namespace trims
