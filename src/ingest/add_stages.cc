#include "ingest/add_stages.h"

#include <stdlib.h>

#include <memory>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "source/source_uri.h"

namespace trims {
namespace {

// Parsed, and fit to be a new name.
Result<ModelReference> NewName(const std::string& requested) {
  TRIMS_ASSIGN_OR_RETURN(ModelReference reference, ParseModelReference(requested));
  if (reference.digest.empty()) return reference;
  return Status(
      StatusCode::kInvalidArgument,
      "model reference '" + requested + "': a model is added under a version, not a digest",
      "trims add " + reference.name + "[:version]");
}

}  // namespace

Result<Requested> CheckRequested(const std::string& requested, const std::string& source,
                                 const std::vector<Variant>& variants) {
  TRIMS_ASSIGN_OR_RETURN(ModelReference reference, NewName(requested));
  TRIMS_ASSIGN_OR_RETURN(SourceUri uri, ParseSourceUri(source));
  return Requested{std::move(reference), std::move(uri), variants};
}

Result<Located> Materialise(Requested request) {
  const std::unique_ptr<char, decltype(&::free)> resolved(
      ::realpath(request.source.path.c_str(), nullptr), &::free);
  if (!resolved) return ErrnoStatus("source " + request.source.path);
  return Located{std::move(request), resolved.get()};
}

}  // namespace trims
