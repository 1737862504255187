#include "ingest/pusher.h"

#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"
#include "ingest/progress_to_loop.h"
#include "ingest/push_to_bucket.h"
#include "ingest/pushed_folder.h"
#include "loop/run_on.h"
#include "source/push_destination.h"

namespace trims {

struct Pusher::Job {
  std::string reference;
  SourceUri destination;
  Manifest manifest;
  std::vector<ImagePtr> images;
  std::string prepared_root;
};

namespace {

// Its folder has what is its own, which is no model without the rest.
Status PutTogether(const Image& image) {
  return Status(StatusCode::kUnimplemented,
                "model '" + image.reference +
                    "' shares bytes with others on this node's disk, and can't be pushed",
                "add the model with granularity 'model', and push that");
}

}  // namespace

Status Pusher::CheckCanPush(const wire::Principal& principal) const {
  TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (dependencies_.pushing != nullptr && dependencies_.prepared != nullptr) return {};
  return Status(StatusCode::kFailedPrecondition, "this daemon has no folder for prepared models");
}

Result<Pusher::Job> Pusher::MakeJob(const std::string& reference,
                                    const std::string& destination) const {
  TRIMS_ASSIGN_OR_RETURN(const ModelReference parsed, ParseModelReference(reference));
  TRIMS_ASSIGN_OR_RETURN(SourceUri uri, ParsePushDestination(destination));
  TRIMS_ASSIGN_OR_RETURN(const CatalogEntry* entry, dependencies_.catalog->Find(parsed));
  for (const ImagePtr& image : entry->images) {
    if (!image->parts.empty()) return PutTogether(*image);
  }
  return Job{.reference = ReferenceOf(*entry),
             .destination = std::move(uri),
             .manifest = entry->manifest,
             .images = entry->images,
             .prepared_root = dependencies_.prepared->root()};
}

PushCalls Pusher::CallsOf(Preparer::Progress progress) {
  PushCalls calls{.cancel = cancel_.get()};
  if (progress && dependencies_.post)
    calls.progress = ProgressToLoop(dependencies_.post, alive_.Only(std::move(progress)));
  return calls;
}

Result<uint64_t> Pusher::Write(const Job& job, const PushCalls& calls) {
  if (job.destination.is_remote()) {
    return PushToBucket(job.manifest, job.images, job.prepared_root, job.destination, calls);
  }
  return PushToFolder(job.manifest, job.images, job.prepared_root, job.destination.path, calls);
}

void Pusher::Push(const wire::Principal& principal, const std::string& reference,
                  const std::string& destination, Preparer::Progress progress, PushCallback done) {
  if (const Status status = CheckCanPush(principal); !status.ok()) return done(status);
  Result<Job> job = MakeJob(reference, destination);
  if (!job.ok()) return done(job.status());
  std::vector<PreparedStore::Pin> pins;  // the files stay until they are written
  PushedModel pushed{
      .reference = job->reference, .destination = job->destination.ToString(), .variants = {}};
  for (const ImagePtr& image : job->images) {
    pins.push_back(dependencies_.prepared->PinFolder(image->variant.folder));
    pushed.variants.push_back(image->kind);
  }
  ++in_flight_;
  RunOn(
      dependencies_.pushing,
      [job = *std::move(job), calls = CallsOf(std::move(progress)), cancel = cancel_] {
        return Write(job, calls);
      },
      alive_.Only([this, pushed = std::move(pushed), pins = std::move(pins),
                   done = std::move(done)](const Result<uint64_t>& bytes) mutable {
        --in_flight_;
        pins.clear();
        if (!bytes.ok()) {
          LogWarning("model.push_failed", {{"model", pushed.reference},
                                           {"destination", pushed.destination},
                                           {"error", bytes.status()}});
          return done(bytes.status());
        }
        pushed.bytes = *bytes;
        LogInfo("model.pushed", {{"model", pushed.reference}, {"destination", pushed.destination}});
        done(std::move(pushed));
      }));
}

}  // namespace trims
