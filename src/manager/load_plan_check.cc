#include "manager/load_plan_check.h"

#include "base/macros.h"
#include "wire/protocol.h"

namespace trims {
namespace {

// As in the manifest: with these no sum over a plan can overflow.
constexpr uint64_t kMaxBytes = uint64_t{1} << 46;
constexpr uint64_t kMaxIndexBytes = uint64_t{1} << 30;

Status BadPlan(const LoadPlan& plan, const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "manifest of '" + plan.name + "': " + what,
                "add the model again");
}

Status CheckPiece(const LoadPlan& plan, const ManifestPiece& piece, uint64_t begin, uint64_t end) {
  if (piece.path.empty()) return BadPlan(plan, "a piece names no file");
  if (piece.at < begin || piece.at > end || piece.length == 0 || piece.length > end - piece.at) {
    return BadPlan(plan, "a piece of " + std::to_string(piece.length) + " bytes at " +
                             std::to_string(piece.at) + " lies outside " + std::to_string(begin) +
                             " to " + std::to_string(end) + " of its extent");
  }
  if (piece.offset > kMaxBytes) return BadPlan(plan, "a piece lies too far into its file");
  return Status();
}

Status CheckExtent(const LoadPlan& plan, const ManifestExtent& extent) {
  if (extent.length == 0 || extent.length > kMaxBytes) {
    return BadPlan(plan, "an extent has " + std::to_string(extent.length) + " bytes");
  }
  uint64_t begin = 0;
  for (const ManifestPiece& piece : extent.pieces) {
    TRIMS_RETURN_IF_ERROR(CheckPiece(plan, piece, begin, extent.length));
    begin = piece.at + piece.length;
  }
  return Status();
}

// Whether `path` starts with `folder` and goes on with a part of its own, which is left in `rest`.
bool IsBeneath(const std::string& path, const std::string& folder, std::string* rest) {
  if (folder.empty() || !path.starts_with(folder)) return false;
  const size_t slash = folder.back() == '/' ? folder.size() - 1 : folder.size();
  if (path.size() <= slash + 1 || path[slash] != '/') return false;
  *rest = path.substr(slash + 1);
  return true;
}

Result<FileSource> OpenWhereItLies(const LoadPlan& plan, const std::string& path) {
  if (!path.starts_with('/')) return FileSource::OpenBeneath(plan.prepared_folder, path);
  if (path == plan.source_path) return FileSource::Open(path);
  std::string rest;
  if (!IsBeneath(path, plan.source_path, &rest)) {
    return Status(StatusCode::kPermissionDenied, "'" + path + "' of '" + plan.name +
                                                     "' is not in the model's source '" +
                                                     plan.source_path + "'");
  }
  return FileSource::OpenBeneath(plan.source_path, rest);
}

// The same code as an unknown model's, so the text has to tell them apart.
Status Gone(const LoadPlan& plan, const std::string& path, const Status& status) {
  const std::string whose = path.starts_with('/') ? "source files" : "prepared files";
  return Status(
      status.code(),
      "the " + whose + " of model '" + plan.name + "' are not where they were: " + status.message(),
      "put '" + path + "' back, or trims rm the model and add it again");
}

}  // namespace

Status CheckLoadPlan(const LoadPlan& plan) {
  const ManifestVariant& variant = plan.variant;
  if (!plan.prepared_folder.starts_with('/')) {
    return BadPlan(plan, "the prepared folder '" + plan.prepared_folder + "' is not absolute");
  }
  if (variant.index_length == 0 || variant.index_length > kMaxIndexBytes) {
    return BadPlan(plan, "an index has " + std::to_string(variant.index_length) + " bytes");
  }
  if (variant.extents.empty() || variant.extents.size() > wire::kMaxExtents) {
    return BadPlan(plan, std::to_string(variant.extents.size()) + " extents, expected 1 to " +
                             std::to_string(wire::kMaxExtents));
  }
  for (const ManifestExtent& extent : variant.extents) {
    TRIMS_RETURN_IF_ERROR(CheckExtent(plan, extent));
  }
  return Status();
}

Result<FileSource> OpenPlanFile(const LoadPlan& plan, const std::string& path) {
  Result<FileSource> file = OpenWhereItLies(plan, path);
  if (!file.ok() && file.status().code() == StatusCode::kNotFound)
    return Gone(plan, path, file.status());
  return file;
}

}  // namespace trims
