#include "ingest/retirer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "catalog/resolve.h"

namespace trims {
namespace {

// What was added later is young enough to stay.
int64_t OldestKept(const Retention& keep) {
  if (keep.for_at_least.count() == 0) return std::numeric_limits<int64_t>::max();
  return UnixSecondsNow() - keep.for_at_least.count();
}

}  // namespace

struct Retirer::Retirement {
  std::string name;
  Retention keep;
  int64_t oldest_kept;  // Unix seconds
  InUse in_use;
  RemoveCallback done;
  Turns::Turn turn;
  std::vector<RemovedModel> retired;
};

void Retirer::Retire(const std::string& name, const Retention& keep, InUse in_use,
                     RemoveCallback done) {
  ++in_flight_;
  turns_->Take(alive_.Only([this, name, keep, in_use = std::move(in_use),
                            done = std::move(done)](Turns::Turn turn) mutable {
    RetireNext(std::make_unique<Retirement>(Retirement{.name = name,
                                                       .keep = keep,
                                                       .oldest_kept = OldestKept(keep),
                                                       .in_use = std::move(in_use),
                                                       .done = std::move(done),
                                                       .turn = std::move(turn),
                                                       .retired = {}}));
  }));
}

bool Retirer::MustStay(const CatalogEntry& entry) const {
  const Catalog& catalog = *dependencies_.catalog;
  if (catalog.Aliases().Meaning(entry.name, entry.version) != nullptr) return true;
  return std::any_of(catalog.Pins().begin(), catalog.Pins().end(), [&](const PinnedVariant& pin) {
    return pin.name == entry.name && pin.version == entry.version;
  });
}

const CatalogEntry* Retirer::Next(const Retirement& retirement) const {
  const CatalogEntry* oldest = nullptr;
  size_t newer = 0;
  for (const CatalogEntry* entry : dependencies_.catalog->All()) {  // the newest first
    if (entry->name != retirement.name) continue;
    if (newer++ < std::max<size_t>(retirement.keep.versions, 1)) continue;
    if (entry->added_unix_seconds > retirement.oldest_kept) continue;
    if (!MustStay(*entry) && !retirement.in_use(*entry)) oldest = entry;
  }
  return oldest;
}

// Looks anew after each: somebody may have opened another meanwhile.
void Retirer::RetireNext(std::unique_ptr<Retirement> retirement) {
  const CatalogEntry* next = Next(*retirement);
  if (next == nullptr) {
    --in_flight_;
    return retirement->done(std::move(retirement->retired));
  }
  RemovedModel gone{ReferenceOf(*next), next->manifest.digest};
  dependencies_.catalog->Erase(
      next->name, next->version,
      alive_.Only([this, retirement = std::move(retirement),
                   gone = std::move(gone)](const Status& status) mutable {
        if (!status.ok()) {
          --in_flight_;
          return retirement->done(status);
        }
        ++counters_->removes;
        LogInfo("model.retired", {{"model", gone.reference}, {"digest", gone.digest}});
        dependencies_.Tell({.kind = EventKind::kModelRetired, .model = gone.reference});
        retirement->retired.push_back(std::move(gone));
        dependencies_.catalog_changed();
        RetireNext(std::move(retirement));
      }));
}

}  // namespace trims
