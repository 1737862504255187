// Removing: running functions keep their pages, new opens get NOT_FOUND.
#include <unistd.h>

#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/registrar.h"

namespace trims {

struct Registrar::RemoveJob {
  std::vector<RemovedModel> targets;
  std::vector<CatalogEntry> entries;  // of them
  size_t erased = 0;
  RemoveCallback done;
};

Status CheckOperator(const wire::Principal& principal) {
  if (principal.uid == 0 || principal.uid == ::geteuid()) return {};
  return Status(StatusCode::kPermissionDenied,
                "user " + std::to_string(principal.uid) +
                    " may not change the models of this daemon; user " +
                    std::to_string(::geteuid()) + " and root may",
                "run the command as that user (sudo -u)");
}

void Registrar::Remove(const wire::Principal& principal, const std::string& reference,
                       RemoveCallback done) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  Result<ModelReference> parsed = ParseModelReference(reference);
  if (!parsed.ok()) return done(parsed.status());
  // A bare name means all of its versions: an open must not fall back to an older one unnoticed.
  const bool all = parsed->version.empty() && !reference.ends_with(":latest");
  InTurn([this, parsed = *std::move(parsed), all, done = std::move(done)]() mutable {
    auto job = std::make_shared<RemoveJob>();
    job->done = std::move(done);
    const Status status = FindTargets(parsed, all, job.get());
    if (status.ok()) return EraseNext(job);
    EndTurn();
    job->done(status);
  });
}

Status Registrar::FindTargets(const ModelReference& reference, bool all, RemoveJob* job) const {
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* found, dependencies_.catalog->Find(reference));
  for (const CatalogEntry* entry : dependencies_.catalog->All()) {
    if (entry->name != found->name) continue;
    const bool meant = reference.digest.empty() ? all || entry == found
                                                : entry->manifest.digest == reference.digest;
    if (meant) job->entries.push_back(*entry);
  }
  return {};
}

void Registrar::EraseNext(const std::shared_ptr<RemoveJob>& job) {
  if (job->erased == job->entries.size()) {
    EndTurn();
    return job->done(std::move(job->targets));
  }
  const CatalogEntry& entry = job->entries[job->erased];
  dependencies_.catalog->Erase(
      entry.name, entry.version, IfAlive([this, job](const Status& status) {
        if (!status.ok()) {
          EndTurn();
          return job->done(status);
        }
        const CatalogEntry& gone = job->entries[job->erased++];
        job->targets.push_back({ReferenceOf(gone), gone.manifest.digest});
        ++counters_.removes;
        LogInfo("model.removed", {{"model", ReferenceOf(gone)}, {"digest", gone.manifest.digest}});
        AfterChange(gone.prepared_folder);
        EraseNext(job);
      }));
}

}  // namespace trims
