// Taking snapshots of catalog and tiers. Thread-safety: loop only, since they look at both.
#ifndef TRIMS_MANAGER_TAKE_SNAPSHOT_H_
#define TRIMS_MANAGER_TAKE_SNAPSHOT_H_

#include <span>
#include <vector>

#include "base/clock.h"
#include "catalog/catalog.h"
#include "manager/choose_tier.h"
#include "manager/snapshot.h"
#include "residency/segment_table.h"

namespace trims {

std::vector<ModelSnapshot> SnapshotsOf(const Catalog& catalog, const Tiers& tiers);
ModelDetails DetailsOf(const CatalogEntry& entry, const Catalog& catalog, const Tiers& tiers);

// What the tiers know; the rest is the manager's to fill in.
TierSnapshot SnapshotOf(const SegmentTable& tier);
ControlledVariant ControlledOf(const ImagePtr& image, const SegmentTable& tier);
ControlledVariant ControlledOfForm(const ImagePtr& form, const SegmentTable& tier);
ManagerSnapshot SnapshotOf(const Tiers& tiers, TimePoint now, const FindHolders& holders);
// What sharing saves of each tier of that snapshot. `sharing`: all images that were added to share.
void AddSaved(std::span<const ImagePtr> sharing, const Tiers& tiers, ManagerSnapshot* snapshot);

}  // namespace trims

#endif  // TRIMS_MANAGER_TAKE_SNAPSHOT_H_
