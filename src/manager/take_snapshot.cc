#include "manager/take_snapshot.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "catalog/resolve.h"
#include "format/shared_bytes.h"

namespace trims {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr size_t kMostHoldersLooks = 16;

VariantSnapshot SnapshotOf(const ImagePtr& image, const Tiers& tiers) {
  VariantSnapshot snapshot{.kind = image->kind,
                           .key = image->variant_key,
                           .bytes = image->footprint,
                           .extents = image->variant.RangeLengths().size(),
                           .granularity = image->variant.granularity,
                           .own_bytes = image->variant.FootprintBytes()};
  for (const auto& tier : tiers) {
    const ControlledVariant there = ControlledOfForm(tier->FormMade(image), *tier);
    if (there.state == SegmentState::kAbsent) continue;
    snapshot.tier = tier->tier_name();
    snapshot.state = there.state;
    snapshot.leases += there.leases;
    snapshot.pinned = snapshot.pinned || there.pinned;
  }
  return snapshot;
}

// By "name:version" of what they mean.
using AliasNames = std::map<std::string, std::vector<std::string>>;

AliasNames AliasNamesIn(const Catalog& catalog) {
  AliasNames names;
  for (const Alias* alias : catalog.Aliases().All()) {
    const AliasTarget& target = alias->target();
    names[target.name + ":" + target.version].push_back(alias->name.ToString());
  }
  return names;
}

std::vector<std::string> NamesOf(const CatalogEntry& entry, const AliasNames& names) {
  const auto found = names.find(entry.name + ":" + entry.version);
  return found == names.end() ? std::vector<std::string>() : found->second;
}

ModelSnapshot SnapshotOf(const CatalogEntry& entry, const AliasNames& aliases, bool newest,
                         const Tiers& tiers) {
  ModelSnapshot snapshot{.reference = ReferenceOf(entry),
                         .name = entry.name,
                         .version = entry.version,
                         .newest = newest,
                         .digest = entry.manifest.digest,
                         .format = entry.manifest.format,
                         .source = entry.manifest.source,
                         .source_bytes = entry.manifest.SourceBytes(),
                         .added_unix_seconds = entry.added_unix_seconds,
                         .aliases = NamesOf(entry, aliases),
                         .variants = {}};
  for (const ImagePtr& image : entry.images) {
    snapshot.variants.push_back(SnapshotOf(image, tiers));
  }
  return snapshot;
}

bool IsNewest(const CatalogEntry& entry, const Catalog& catalog) {
  const Result<const CatalogEntry*> newest =
      catalog.Find({.name = entry.name, .version = {}, .digest = {}});
  return newest.ok() && (*newest)->version == entry.version;
}

SegmentSnapshot SnapshotOf(const Segment& segment, const SegmentTable& tier, TimePoint now) {
  const Image& image = segment.image();
  SegmentSnapshot snapshot{.id = segment.id(),
                           .tier = std::string(tier.tier_name()),
                           .reference = image.reference,
                           .digest = image.digest,
                           .kind = image.kind,
                           .key = image.variant_key,
                           .state = segment.state(),
                           .bytes = segment.footprint(),
                           .leases = segment.leases(),
                           .opens = segment.opens(),
                           .waiters = tier.WaitersOf(segment),
                           .load_time = duration_cast<microseconds>(segment.load_time()),
                           .removed = segment.removed(),
                           .pinned = segment.pinned(),
                           .held_for_copy = segment.held_for_above(),
                           .leaving = segment.leaving(),
                           .taken_over = segment.taken_over(),
                           .piece = image.from != nullptr,
                           .keep_alive = tier.ReclaimOf(segment)};
  if (const std::optional<Duration> left = tier.GoesIn(segment)) {
    snapshot.goes_in = std::chrono::ceil<milliseconds>(*left);
  }
  if (Comes(segment.state())) {
    snapshot.load = tier.ProgressOf(segment);
    snapshot.bytes_loaded = snapshot.load->bytes_done;
  }
  if (tier.device().empty() && segment.has_bytes() && !segment.bytes().extents.empty()) {
    snapshot.pages = segment.bytes().extents.front().pages;
  }
  if (segment.has_bytes() && segment.leases() == 0) {
    snapshot.idle = duration_cast<milliseconds>(now - segment.last_used());
  }
  const LoadFailure& failure = segment.failure();
  snapshot.failures = failure.in_a_row;
  if (failure.in_a_row > 0) {
    snapshot.error = failure.error;
    snapshot.retry_in =
        duration_cast<milliseconds>(std::max(failure.retry_at - now, Duration::zero()));
  }
  return snapshot;
}

LingeringSnapshot SnapshotOf(const Lingering& lingering, const SegmentTable& tier, TimePoint now) {
  LingeringSnapshot snapshot{.tier = std::string(tier.tier_name()),
                             .reference = lingering.image->reference,
                             .digest = lingering.image->digest,
                             .kind = lingering.image->kind,
                             .bytes = lingering.room.bytes(),
                             .since = duration_cast<milliseconds>(now - lingering.since),
                             .keepers = lingering.keepers,
                             .last_holders = {}};
  std::erase_if(snapshot.keepers, [](const MemoryKeeper& keeper) { return !IsAlive(keeper.pid); });
  for (const auto& holder : lingering.last_holders) snapshot.last_holders.push_back(*holder);
  return snapshot;
}

// Names the holders of what would go if they let go of it. Each look is at every lease of the daemon.
void NameHolders(const Segment& segment, const SegmentTable& tier, const FindHolders& find,
                 size_t* looks_left, SegmentSnapshot* snapshot) {
  const bool is_to_go = segment.removed() || segment.leaving();
  if (!find || !is_to_go || segment.leases() == 0 || *looks_left == 0) return;
  --*looks_left;
  snapshot->holders = find(tier.tier_name(), segment.key());
}

}  // namespace

TierSnapshot SnapshotOf(const SegmentTable& tier) {
  return {.name = std::string(tier.tier_name()),
          .device = std::string(tier.device()),
          .budget_bytes = tier.budget().limit(),
          .used_bytes = tier.budget().used(),
          .use = tier.Use(),
          .policy = tier.policy(),
          .quotas = tier.ledger().quotas(),
          .host_copy =
              tier.beneath() == nullptr ? std::optional<HostCopy>() : tier.options().host_copy};
}

namespace {

int NearnessOf(SegmentState state) {
  switch (state) {
    case SegmentState::kResident:
      return 3;
    case SegmentState::kLoading:
      return 2;
    case SegmentState::kReserved:
      return 1;
    case SegmentState::kAbsent:
    case SegmentState::kDraining:
    case SegmentState::kFailed:
      return 0;
  }
  return 0;
}

ControlledVariant ControlledOfOne(const Image& image, const SegmentTable& tier) {
  ControlledVariant variant{
      .kind = image.kind, .key = image.variant_key, .bytes = tier.FootprintOf(image)};
  const Segment* segment = tier.FindByKey(image.key);
  if (segment == nullptr) return variant;
  variant.state = segment->state();
  variant.leases = segment->leases();
  variant.pinned = segment->pinned();
  variant.leaving = segment->leaving();
  return variant;
}

}  // namespace

// As far as the last of its parts; who has it leased has what is its own.
ControlledVariant ControlledOfForm(const ImagePtr& form, const SegmentTable& tier) {
  ControlledVariant whole = ControlledOfOne(*PartsOf(form).front(), tier);
  if (form->parts.empty()) return whole;
  whole.bytes = form->footprint;
  for (const ImagePtr& part : form->parts) {
    const ControlledVariant one = ControlledOfOne(*part, tier);
    if (NearnessOf(one.state) < NearnessOf(whole.state)) whole.state = one.state;
    whole.pinned = whole.pinned && one.pinned;
  }
  return whole;
}

ControlledVariant ControlledOf(const ImagePtr& image, const SegmentTable& tier) {
  return ControlledOfForm(tier.FormOf(image), tier);
}

std::vector<ModelSnapshot> SnapshotsOf(const Catalog& catalog, const Tiers& tiers) {
  std::vector<ModelSnapshot> snapshots;
  const AliasNames aliases = AliasNamesIn(catalog);
  std::string_view last;
  for (const CatalogEntry* entry : catalog.All()) {
    snapshots.push_back(SnapshotOf(*entry, aliases, /*newest=*/entry->name != last, tiers));
    last = entry->name;
  }
  return snapshots;
}

namespace {

void AddSharers(const ImagePtr& image, const CatalogEntry& entry,
                std::vector<SharerSnapshot>* sharers) {
  for (const ImagePtr& other : entry.images) {
    if (other->variant.granularity == Granularity::kModel) continue;
    const uint64_t bytes = SharedBytes(image, other);
    if (bytes == 0) continue;
    sharers->push_back({.reference = ReferenceOf(entry), .kind = image->kind, .bytes = bytes});
  }
}

std::vector<SharerSnapshot> SharersOf(const CatalogEntry& entry, const Catalog& catalog) {
  std::vector<SharerSnapshot> sharers;
  for (const ImagePtr& image : entry.images) {
    if (image->variant.granularity == Granularity::kModel) continue;
    for (const CatalogEntry* other : catalog.All()) {
      if (other != &entry) AddSharers(image, *other, &sharers);
    }
  }
  return sharers;
}

// Each model counts as what it maps, each part that they have once.
uint64_t SavedIn(const SegmentTable& tier, std::span<const ImagePtr> sharing) {
  uint64_t mapped = 0;
  std::map<std::string_view, uint64_t> resident;  // by key
  for (const ImagePtr& image : sharing) {
    const ImagePtr& form = tier.FormMade(image);
    if (!tier.IsHere(*form)) continue;
    mapped += MappedBytes(*image);
    for (const ImagePtr& part : PartsOf(form)) resident[part->key] = tier.FootprintOf(*part);
  }
  uint64_t taken = 0;
  for (const auto& [key, bytes] : resident) taken += bytes;
  return mapped > taken ? mapped - taken : 0;
}

}  // namespace

void AddSaved(std::span<const ImagePtr> sharing, const Tiers& tiers, ManagerSnapshot* snapshot) {
  for (size_t i = 0; i < tiers.size(); ++i) {
    snapshot->tiers[i].saved_bytes = SavedIn(*tiers[i], sharing);
    snapshot->tiers[i].wasted_bytes = tiers[i]->Wasted();
  }
}

ModelDetails DetailsOf(const CatalogEntry& entry, const Catalog& catalog, const Tiers& tiers) {
  return {.model = SnapshotOf(entry, AliasNamesIn(catalog), IsNewest(entry, catalog), tiers),
          .files = entry.manifest.files,
          .sandbox = entry.manifest.sandbox,
          .notes = entry.manifest.notes,
          .shared_with = SharersOf(entry, catalog)};
}

ManagerSnapshot SnapshotOf(const Tiers& tiers, TimePoint now, const FindHolders& holders) {
  ManagerSnapshot snapshot;
  size_t looks_left = kMostHoldersLooks;
  for (const auto& tier : tiers) {
    snapshot.tiers.push_back(SnapshotOf(*tier));
    snapshot.leases += tier->leases();
    snapshot.loads_in_flight += tier->loads_in_flight();
    snapshot.waiters += tier->waiters();
    for (const Segment* segment : tier->All()) {
      snapshot.segments.push_back(SnapshotOf(*segment, *tier, now));
      NameHolders(*segment, *tier, holders, &looks_left, &snapshot.segments.back());
    }
    for (const auto& [name, use] : tier->ledger().uses()) {
      if (!tier->ledger().limits()) break;
      snapshot.namespaces.push_back(
          {.tier = std::string(tier->tier_name()), .name = name, .use = use});
    }
    for (const Lingering* lingering : tier->AllLingering()) {
      snapshot.lingering.push_back(SnapshotOf(*lingering, *tier, now));
    }
  }
  return snapshot;
}

}  // namespace trims
