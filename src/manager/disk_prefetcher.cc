#include "manager/disk_prefetcher.h"

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

ControlledModel DiskPrefetcher::OutcomeOf(const Job& job) const {
  ControlledModel model{.reference = job.reference, .tier = std::string(kDiskTier), .variants = {}};
  for (const ImagePtr& image : job.images) {
    const bool there = IsOnDisk(*image, prepared_);
    model.variants.push_back({.kind = image->kind,
                              .key = image->variant_key,
                              .bytes = image->file_bytes,
                              .state = there ? SegmentState::kResident : SegmentState::kAbsent});
  }
  return model;
}

Result<DiskPrefetcher::Job> DiskPrefetcher::Find(const ControlWishes& wishes) const {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(wishes.reference));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* const entry, catalog_->Find(parsed));
  Job job{.reference = ReferenceOf(*entry)};
  TRIMS_ASSIGN_OR_RETURN(job.images, ImagesOf(*catalog_, *entry, wishes.variants));
  if (wishes.variants.empty() && !job.images.empty()) job.images = {UsualVariant(job.images)};
  for (const ImagePtr& image : job.images) {
    if (IsOnDisk(*image, prepared_)) continue;
    TRIMS_RETURN_IF_ERROR(CheckLoads(*image));
    TRIMS_RETURN_IF_ERROR(CheckRoom(*image));
    job.missing.push_back(image);
  }
  return job;
}

Status DiskPrefetcher::CheckLoads(const Image& image) const {
  const Segment* const segment = tiers_->front()->FindByKey(image.key);
  if (segment == nullptr || segment->state() != SegmentState::kResident) return {};
  const std::string first = segment->pinned() ? "trims unpin " : "trims evict ";
  return Status(StatusCode::kFailedPrecondition,
                "model '" + image.reference +
                    "' is in memory and not on this disk, and only what is loaded is written there",
                first + image.reference + ", then prefetch it again");
}

// Before anything is fetched: a load itself doesn't fail for the disk's sake.
Status DiskPrefetcher::CheckRoom(const Image& image) const {
  return prepared_->TakeRoom(image.variant.folder, image.file_bytes).status();
}

void DiskPrefetcher::Prefetch(const wire::Principal& principal, const ControlWishes& wishes,
                              Preparer::Progress progress, ControlCallback done) {
  if (const Status status = CheckOperator(principal); !status.ok()) return done(status);
  Result<Job> found = Find(wishes);
  if (!found.ok()) return done(found.status());
  if (found->missing.empty()) return done(OutcomeOf(*found));
  const uint64_t id = ++last_;
  Job& job = jobs_.emplace(id, *std::move(found)).first->second;
  if (wishes.wait) {
    job.done = std::move(done);
  } else {  // told nothing more; the log is
    progress = nullptr;
    done(OutcomeOf(job));
  }
  bringer_.Bring(tiers_->front().get(), job.missing, std::move(progress),
                 [this, id](Result<std::vector<Lease>> leases) { Came(id, std::move(leases)); });
}

void DiskPrefetcher::Came(uint64_t id, Result<std::vector<Lease>> leases) {
  if (!leases.ok()) return End(id, leases.status());
  Job& job = jobs_.at(id);
  job.leases = *std::move(leases);
  job.unwritten = job.missing.size();
  const std::vector<ImagePtr> missing = job.missing;  // the job may end with the last of them
  for (const ImagePtr& image : missing) {
    prepared_->AwaitMeasured(image->variant.folder, alive_.Only([this, id] { Written(id); }));
  }
}

void DiskPrefetcher::Written(uint64_t id) {
  Job& job = jobs_.at(id);
  if (--job.unwritten > 0) return;
  SegmentTable* const host = tiers_->front().get();
  for (const ImagePtr& image : job.missing) {
    // The one open that there was is this job's.
    const Segment* const segment = host->FindByKey(image->key);
    if (segment != nullptr && segment->opens() == 1) host->EvictWhenIdle(image->key);
  }
  End(id, CheckWritten(job));
}

Status DiskPrefetcher::CheckWritten(const Job& job) const {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(job.reference));
  TRIMS_RETURN_IF_ERROR(catalog_->Find(parsed).status());  // it may have been removed meanwhile
  for (const ImagePtr& image : job.missing) {
    if (IsOnDisk(*image, prepared_)) continue;
    return Status(StatusCode::kDataLoss,
                  "model '" + image->reference + "' came, but could not be written to this disk",
                  "see the daemon's log (copy.not_kept), and what is wrong with the disk (dmesg)");
  }
  return {};
}

void DiskPrefetcher::End(uint64_t id, const Status& status) {
  const Job job = std::move(jobs_.extract(id).mapped());
  if (job.done) return status.ok() ? job.done(OutcomeOf(job)) : job.done(status);
  if (status.ok()) return;
  LogWarning("model.not_brought",
             {{"for", "prefetch"}, {"model", job.reference}, {"error", status}});
}

}  // namespace trims
