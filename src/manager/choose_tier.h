// Which tier is meant by what somebody wrote: a tier's name, its device's, or "any" device.
//
// Thread-safety: loop only, since they look at the tiers.
#ifndef TRIMS_MANAGER_CHOOSE_TIER_H_
#define TRIMS_MANAGER_CHOOSE_TIER_H_

#include <memory>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "format/image.h"
#include "residency/segment_table.h"

namespace trims {

using Tiers = std::vector<std::unique_ptr<SegmentTable>>;  // the host's memory first

// "host" (or empty), "device:0", "sim:0". NOT_FOUND says which there are.
Result<SegmentTable*> FindTier(std::string_view name, const Tiers& tiers);

// The same, and "any": the device that has the image, or is getting it, else the one with the most room of those
// whose budget it fits. With equal room the first. NOT_FOUND: there is no device.
Result<SegmentTable*> ChooseTier(std::string_view wanted, const ImagePtr& image,
                                 const Tiers& tiers);

// Of a model's variants the one that its programs most likely open; there is at least one.
const ImagePtr& UsualVariant(const std::vector<ImagePtr>& images);

}  // namespace trims

#endif  // TRIMS_MANAGER_CHOOSE_TIER_H_
