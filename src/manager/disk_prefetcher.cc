#include "manager/disk_prefetcher.h"

#include <set>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/model_reference.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"

namespace trims {

bool IsOnDisk(const Image& image, const PreparedStore* prepared) {
  if (!image.variant.remote || prepared == nullptr) return true;
  return prepared->Has(image.variant.folder, image.file_bytes);
}

struct DiskPrefetcher::Job {
  std::string reference;
  std::vector<ImagePtr> images;
  std::vector<ImagePtr> missing;
  std::vector<Lease> leases;  // of what is missing, until it is written
  size_t unwritten = 0;
  ControlCallback done;

  ControlledModel Outcome(const PreparedStore* prepared) const {
    ControlledModel model{.reference = reference, .tier = std::string(kDiskTier), .variants = {}};
    for (const ImagePtr& image : images) {
      const bool there = IsOnDisk(*image, prepared);
      model.variants.push_back({.kind = image->kind,
                                .key = image->variant_key,
                                .bytes = image->file_bytes,
                                .state = there ? SegmentState::kResident : SegmentState::kAbsent});
    }
    return model;
  }
};

Result<DiskPrefetcher::JobPtr> DiskPrefetcher::Find(const ControlWishes& wishes) const {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(wishes.reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* const entry, catalog_->Find(parsed));
  auto job = std::make_shared<Job>();
  job->reference = ReferenceOf(*entry);
  for (const Variant kind : std::set<Variant>(wishes.variants.begin(), wishes.variants.end())) {
    TRIMS_ASSIGN_OR_RETURN(ImagePtr image, ResolveVariant(*catalog_, job->reference, kind, ""));
    job->images.push_back(std::move(image));
  }
  if (wishes.variants.empty() && !entry->images.empty()) {
    job->images.push_back(UsualVariant(entry->images));
  }
  for (const ImagePtr& image : job->images) {
    if (IsOnDisk(*image, prepared_)) continue;
    TRIMS_RETURN_IF_ERROR(CheckLoads(*image));
    job->missing.push_back(image);
  }
  return job;
}

Status DiskPrefetcher::CheckLoads(const Image& image) const {
  const Segment* const segment = tiers_->front()->FindByKey(image.key);
  if (segment == nullptr || segment->state() != SegmentState::kResident) return {};
  return Status(StatusCode::kFailedPrecondition,
                "model '" + image.reference +
                    "' is in memory and not on this disk, and only what is loaded is written there",
                "trims evict " + image.reference + ", then prefetch it again");
}

void DiskPrefetcher::Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                              Preparer::Progress progress, ControlCallback done) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  Result<JobPtr> found = Find(wishes);
  if (!found.ok()) return done(found.status());
  const JobPtr job = *std::move(found);
  if (job->missing.empty()) return done(job->Outcome(prepared_));
  // Whoever does not wait is told nothing more; the log is.
  if (wishes.wait) job->done = done;
  if (!wishes.wait) progress = nullptr;
  bringer_.Bring(tiers_->front().get(), job->missing, std::move(progress),
                 [this, job](Result<std::vector<Lease>> leases) { Came(job, std::move(leases)); });
  if (!wishes.wait) done(job->Outcome(prepared_));
}

void DiskPrefetcher::Came(const JobPtr& job, Result<std::vector<Lease>> leases) {
  if (!leases.ok()) return End(job, leases.status());
  job->leases = *std::move(leases);
  job->unwritten = job->missing.size();
  for (const ImagePtr& image : job->missing) {
    prepared_->AwaitMeasured(image->variant.folder, alive_.Only([this, job] { Written(job); }));
  }
}

void DiskPrefetcher::Written(const JobPtr& job) {
  if (--job->unwritten > 0) return;
  SegmentTable* const host = tiers_->front().get();
  Status status;
  for (const ImagePtr& image : job->missing) {
    const Segment* const segment = host->FindByKey(image->key);
    if (segment != nullptr && segment->leases() == 1)
      host->EvictWhenIdle(image->key);  // this job's
    if (IsOnDisk(*image, prepared_)) continue;
    status = Status(StatusCode::kResourceExhausted,
                    "model '" + image->reference + "' came, but its copy was not kept on this disk",
                    "the daemon's log says why: copy.not_kept");
  }
  End(job, status);
}

void DiskPrefetcher::End(const JobPtr& job, const Status& status) {
  if (!status.ok()) {
    LogWarning("model.not_brought",
               {{"for", "prefetch"}, {"model", job->reference}, {"error", status}});
  }
  job->leases.clear();
  const ControlCallback done = std::exchange(job->done, nullptr);
  if (!done) return;
  status.ok() ? done(job->Outcome(prepared_)) : done(status);
}

}  // namespace trims
