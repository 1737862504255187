#include "ingest/pusher.h"

#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "catalog/resolve.h"
#include "ingest/check_operator.h"
#include "ingest/pushed_folder.h"
#include "loop/run_on.h"
#include "source/source_uri.h"

namespace trims {
namespace {

Result<SourceUri> FolderOf(const std::string& destination) {
  TRIMS_ASSIGN_OR_RETURN(SourceUri uri, ParseSourceUri(destination));
  if (!uri.is_remote()) return uri;
  return Status(StatusCode::kUnimplemented,
                "models can't be pushed to " + uri.ToString() + " by this build",
                "push into a folder, and upload that");
}

}  // namespace

Status Pusher::CheckCanPush(const wire::Principal& principal) const {
  TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (dependencies_.verifying != nullptr && dependencies_.prepared != nullptr) return {};
  return Status(StatusCode::kFailedPrecondition, "this daemon has no folder for prepared models");
}

void Pusher::Push(const wire::Principal& principal, const std::string& reference,
                  const std::string& destination, PushCallback done) {
  if (const Status status = CheckCanPush(principal); !status.ok()) return done(status);
  const Result<ModelReference> parsed = ParseModelReference(reference);
  if (!parsed.ok()) return done(parsed.status());
  Result<SourceUri> folder = FolderOf(destination);
  if (!folder.ok()) return done(folder.status());
  const Result<const CatalogEntry*> found = dependencies_.catalog->Find(*parsed);
  if (!found.ok()) return done(found.status());
  const CatalogEntry entry = **found;
  std::vector<PreparedStore::Pin> pins;  // the files stay until they are copied
  PushedModel pushed{
      .reference = ReferenceOf(entry), .destination = folder->ToString(), .variants = {}};
  for (const ImagePtr& image : entry.images) {
    pins.push_back(dependencies_.prepared->PinFolder(image->variant.folder));
    pushed.variants.push_back(image->kind);
  }
  ++in_flight_;
  RunOn(
      dependencies_.verifying,
      [entry, folder = folder->path, root = dependencies_.prepared->root(), cancel = cancel_] {
        return PushToFolder(entry.manifest, entry.images, root, folder, cancel.get());
      },
      alive_.Only([this, pushed = std::move(pushed), pins = std::move(pins),
                   done = std::move(done)](const Result<uint64_t>& bytes) mutable {
        --in_flight_;
        pins.clear();
        if (!bytes.ok()) return done(bytes.status());
        pushed.bytes = *bytes;
        LogInfo("model.pushed", {{"model", pushed.reference}, {"destination", pushed.destination}});
        done(std::move(pushed));
      }));
}

}  // namespace trims
