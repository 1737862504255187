#include "ingest/remover.h"

#include <deque>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"

namespace trims {
namespace {

// Whoever removes what they call by an alias would remove what others open.
Status CheckIsModel(const CatalogEntry& found, const ModelReference& reference) {
  const bool same_version = reference.version.empty() || reference.version == found.version;
  if (found.name == reference.name && same_version) return {};
  return Status(StatusCode::kFailedPrecondition,
                "'" + reference.ToString() + "' is an alias of " + ReferenceOf(found),
                "trims alias --delete " + reference.ToString() + " forgets the alias alone");
}

Status CheckNoAliasMeans(const Catalog& catalog, const CatalogEntry& entry) {
  const Alias* alias = catalog.Aliases().Meaning(entry.name, entry.version);
  if (alias == nullptr) return {};
  const std::string name = alias->name.ToString();
  return Status(StatusCode::kFailedPrecondition,
                "model '" + ReferenceOf(entry) + "' is what alias '" + name + "' means",
                "move it on (trims alias " + name +
                    "=REFERENCE), or forget it: trims alias --delete " + name);
}

struct Target {
  std::string name;
  std::string version;
  RemovedModel removed;
};

// What `reference` means; with `all_versions`, all of its name.
Result<std::deque<Target>> FindTargets(const Catalog& catalog, const ModelReference& reference,
                                       bool all_versions) {
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* found, catalog.Find(reference));
  TRIMS_RETURN_IF_ERROR(CheckIsModel(*found, reference));
  std::deque<Target> targets;
  for (const CatalogEntry* entry : catalog.All()) {
    if (entry->name != found->name) continue;
    const bool meant = reference.digest.empty() ? all_versions || entry == found
                                                : entry->manifest.digest == reference.digest;
    if (!meant) continue;
    TRIMS_RETURN_IF_ERROR(CheckNoAliasMeans(catalog, *entry));
    targets.push_back({entry->name, entry->version, {ReferenceOf(*entry), entry->manifest.digest}});
  }
  return targets;
}

}  // namespace

struct Remover::Removal {
  std::deque<Target> left;
  std::vector<RemovedModel> removed;
  RemoveCallback done;
  Turns::Turn turn;
};

void Remover::Remove(const wire::Principal& principal, const std::string& requested,
                     RemoveCallback done) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  Result<ModelReference> reference = ParseModelReference(requested);
  if (!reference.ok()) return done(reference.status());
  // A bare name means all of its versions: an open must not fall back to an older one unnoticed.
  const bool all_versions = reference->version.empty() && !requested.ends_with(":latest");
  ++in_flight_;
  turns_->Take(alive_.Only([this, reference = *std::move(reference), all_versions,
                            done = std::move(done)](Turns::Turn turn) mutable {
    Begin(reference, all_versions, std::move(done), std::move(turn));
  }));
}

void Remover::Begin(const ModelReference& reference, bool all_versions, RemoveCallback done,
                    Turns::Turn turn) {
  Result<std::deque<Target>> targets = FindTargets(*dependencies_.catalog, reference, all_versions);
  if (!targets.ok()) {
    --in_flight_;
    return done(targets.status());
  }
  EraseNext(std::make_unique<Removal>(
      Removal{*std::move(targets), {}, std::move(done), std::move(turn)}));
}

void Remover::EraseNext(std::unique_ptr<Removal> removal) {
  if (removal->left.empty()) {
    --in_flight_;
    return removal->done(std::move(removal->removed));
  }
  const Target target = removal->left.front();
  dependencies_.catalog->Erase(
      target.name, target.version,
      alive_.Only([this, removal = std::move(removal)](const Status& status) mutable {
        if (status.ok()) return Erased(std::move(removal));
        --in_flight_;
        removal->done(status);
      }));
}

void Remover::Erased(std::unique_ptr<Removal> removal) {
  RemovedModel gone = std::move(removal->left.front().removed);
  removal->left.pop_front();
  ++counters_->removes;
  LogInfo("model.removed", {{"model", gone.reference}, {"digest", gone.digest}});
  dependencies_.Tell({.kind = EventKind::kModelRemoved, .model = gone.reference});
  removal->removed.push_back(std::move(gone));
  dependencies_.catalog_changed();
  EraseNext(std::move(removal));
}

}  // namespace trims
