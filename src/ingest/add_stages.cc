#include "ingest/add_stages.h"

#include <utility>

#include "base/macros.h"
#include "ingest/pushed_folder.h"
#include "source/file_tree.h"
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
                                 const PrepareWishes& wishes) {
  TRIMS_ASSIGN_OR_RETURN(ModelReference reference, NewName(requested));
  TRIMS_ASSIGN_OR_RETURN(SourceUri uri, ParseSourceUri(source));
  for (const std::string& path : wishes.onnxruntime_extensions) {
    if (path.starts_with('/')) continue;
    return Status(StatusCode::kInvalidArgument,
                  "the ONNX Runtime extension '" + path + "': expected an absolute path",
                  "give the library's whole path");
  }
  Requested made{std::move(reference), std::move(uri), wishes};
  if (!wishes.granularity.empty()) {
    TRIMS_ASSIGN_OR_RETURN(made.granularity, GranularityFromName(wishes.granularity));
  }
  return made;
}

Result<Located> Locate(Requested request) {
  TRIMS_ASSIGN_OR_RETURN(FileTree tree, FileTree::At(request.source));
  TRIMS_RETURN_IF_ERROR(tree.Resolve());
  const bool pushed = tree.is_folder() && IsPushed(tree.folder());
  return Located{
      .request = std::move(request), .source = tree.uri(), .download = {}, .pushed = pushed};
}

}  // namespace trims
