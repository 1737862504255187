// Adding: check, prepare, decide about the version, publish.
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/merge.h"
#include "ingest/preparer.h"
#include "ingest/registrar.h"
#include "loop/worker.h"
#include "source/source_uri.h"
#include "store/folders.h"

namespace trims {
namespace {

constexpr size_t kMaxAdds = 64;
constexpr size_t kVersionDigits = 12;
constexpr size_t kStemDigits = 16;
constexpr std::string_view kNestedStem = "add";

int64_t UnixNow() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Parsed, and fit to be a new name.
Result<ModelReference> NewName(const std::string& reference) {
  TRIMS_ASSIGN_OR_RETURN(ModelReference parsed, ParseModelReference(reference));
  if (parsed.digest.empty()) return parsed;
  return Status(
      StatusCode::kInvalidArgument,
      "model reference '" + reference + "': a model is added under a version, not a digest",
      "trims add " + parsed.name + "[:version]");
}

Status Taken(const CatalogEntry& entry, const Manifest& fresh) {
  return Status(StatusCode::kAlreadyExists,
                "model '" + ReferenceOf(entry) + "' has other content: its digest is " +
                    entry.manifest.digest + ", that of the source is " + fresh.digest,
                "give another version (" + entry.name + ":" +
                    fresh.digest.substr(0, kVersionDigits) + "), or first: trims rm " +
                    ReferenceOf(entry));
}

}  // namespace

struct Registrar::AddJob {
  ModelReference wanted;
  std::string source_path;
  std::vector<Variant> variants;
  Preparer::Progress progress;
  AddCallback done;

  std::string folder;  // the incoming one
  Manifest fresh;
  std::string old_folder;  // of the entry that is replaced; empty: it is a new one
  CatalogEntry entry;      // what goes into the catalog
  Status status;           // of the work on the worker
};

void Registrar::Add(const wire::Principal& principal, const std::string& reference,
                    const std::string& source, const std::vector<Variant>& variants,
                    Preparer::Progress progress, AddCallback done) {
  if (const Status status = CheckAdd(principal); !status.ok()) return done(status);
  Result<ModelReference> wanted = NewName(reference);
  if (!wanted.ok()) return done(wanted.status());
  Result<SourceUri> uri = ParseSourceUri(source);
  if (!uri.ok()) return done(uri.status());
  auto job = std::make_shared<AddJob>();
  job->wanted = *std::move(wanted);
  job->source_path = std::move(uri->path);
  job->variants = variants;
  job->progress = std::move(progress);
  job->done = std::move(done);
  ++adds_;
  OnWorker(
      [job, root = options_.prepared_root] {
        Result<std::string> source_path = CanonicalPath(job->source_path);
        if (!source_path.ok()) return void(job->status = source_path.status());
        job->source_path = *source_path;
        Result<std::string> folder = MakeIncomingFolder(root);
        if (!folder.ok()) return void(job->status = folder.status());
        job->folder = *folder;
      },
      [this, job] { job->status.ok() ? Prepare(job) : Abandon(job, job->status); });
}

Status Registrar::CheckAdd(const wire::Principal& principal) const {
  TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (dependencies_.worker == nullptr || options_.prepared_root.empty()) {
    return Status(StatusCode::kFailedPrecondition, "this daemon has no folder for prepared models");
  }
  TRIMS_RETURN_IF_ERROR(dependencies_.preparer->Ready());
  if (adds_ < kMaxAdds) return {};
  return Status(StatusCode::kResourceExhausted,
                std::to_string(adds_) + " models are being added already",
                "wait for some of them: trims status");
}

void Registrar::Prepare(const Job& job) {
  auto progress = [job](std::string_view stage, uint64_t done, uint64_t total) {
    if (job->progress) job->progress(stage, done, total);
  };
  dependencies_.preparer->Prepare(
      {.source_path = job->source_path, .out_folder = job->folder, .variants = job->variants},
      IfAlive(std::move(progress)),
      IfAlive([this, job](Result<Manifest> manifest) { Prepared(job, std::move(manifest)); }));
}

void Registrar::Prepared(const Job& job, Result<Manifest> manifest) {
  if (!manifest.ok()) return Abandon(job, manifest.status());
  job->fresh = *std::move(manifest);
  // The preparer has met untrusted bytes: where the model came from is not its word to give.
  job->fresh.source = SourceUri::OfPath(job->source_path).ToString();
  InTurn([this, job] { Publish(job); });
}

// The entry that the new content joins, or nullptr; sets the version of job->entry.
Result<const CatalogEntry*> Registrar::Decide(AddJob* job) const {
  const bool labelled = !job->wanted.version.empty();
  const CatalogEntry* holder = nullptr;  // of the version's label
  job->entry.version = labelled ? job->wanted.version : job->fresh.digest.substr(0, kVersionDigits);
  for (const CatalogEntry* entry : dependencies_.catalog->All()) {
    if (entry->name != job->wanted.name) continue;
    if (!labelled && entry->manifest.digest == job->fresh.digest) {
      job->entry.version = entry->version;
      return entry;
    }
    if (entry->version == job->entry.version) holder = entry;
  }
  if (holder != nullptr && holder->manifest.digest != job->fresh.digest) {
    return Taken(*holder, job->fresh);
  }
  return holder;
}

void Registrar::Publish(const Job& job) {
  const Result<const CatalogEntry*> existing = Decide(job.get());
  if (!existing.ok()) {
    EndTurn();
    return Abandon(job, existing.status());
  }
  std::vector<ManifestVariant> kept;
  Manifest old;
  if (*existing != nullptr) {
    old = (*existing)->manifest;
    job->old_folder = (*existing)->prepared_folder;
    kept = KeptVariants(old, job->fresh);
  }
  const bool nested = !kept.empty();  // in the folder of what is kept, so that one folder holds all
  if (job->progress) job->progress("sync", 0, 0);
  OnWorker(
      [job, root = options_.prepared_root, nested, old = std::move(old),
       kept = std::move(kept)]() mutable {
        const std::string into = nested ? job->old_folder : root;
        const std::string stem =
            nested ? std::string(kNestedStem) : job->fresh.digest.substr(0, kStemDigits);
        Result<std::string> folder = PublishFolder(job->folder, into, stem);
        if (!folder.ok()) return void(job->status = folder.status());
        job->folder = *folder;
        const std::string outer = nested ? BaseName(into) + "/" : "";
        PrefixFolders(outer + BaseName(*folder) + "/", &job->fresh.variants);
        job->entry =
            MakeCatalogEntry(job->wanted.name, job->entry.version,
                             nested ? MergeManifests(old, job->fresh, std::move(kept)) : job->fresh,
                             nested ? into : *folder, UnixNow());
      },
      [this, job] { job->status.ok() ? Enter(job) : Finish(job, job->status); });
}

void Registrar::Enter(const Job& job) {
  dependencies_.catalog->Put(job->entry,
                             IfAlive([this, job](const Status& status) { Finish(job, status); }));
}

// Ends the turn that Publish has.
void Registrar::Finish(const Job& job, const Status& status) {
  EndTurn();
  if (!status.ok()) return Abandon(job, status);
  --adds_;
  ++counters_.adds;
  AfterChange(job->old_folder == job->entry.prepared_folder ? "" : job->old_folder);
  LogInfo("model.added", {{"model", ReferenceOf(job->entry)},
                          {"digest", job->entry.manifest.digest},
                          {"source", job->entry.manifest.source}});
  job->done(std::move(job->entry));
}

void Registrar::Abandon(const Job& job, const Status& why) {
  --adds_;
  ++counters_.add_failures;
  LogWarning("model.add_failed",
             {{"model", job->wanted.ToString()}, {"source", job->source_path}, {"error", why}});
  if (job->folder.empty()) return job->done(why);
  // Answered when the folder is gone, so that nothing is left of an Add that failed.
  OnWorker([job] { RemoveFolder(job->folder).ok(); }, [job, why] { job->done(why); });
}

}  // namespace trims
