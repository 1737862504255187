#include "load/load_plan_check.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "source/file_bytes.h"
#include "source/source_tree.h"
#include "wire/protocol.h"

namespace trims {
namespace {

Status BadPlan(const LoadPlan& plan, const std::string& what) {
  return Status(StatusCode::kInvalidArgument,
                "manifest of '" + plan.image->reference + "': " + what, "add the model again");
}

Status CheckPiece(const LoadPlan& plan, const ManifestPiece& piece, uint64_t begin, uint64_t end) {
  if (piece.path.empty()) return BadPlan(plan, "a piece names no file");
  if (piece.at < begin || piece.at > end || piece.length == 0 || piece.length > end - piece.at) {
    return BadPlan(plan, "a piece of " + std::to_string(piece.length) + " bytes at " +
                             std::to_string(piece.at) + " lies outside " + std::to_string(begin) +
                             " to " + std::to_string(end) + " of its extent");
  }
  if (piece.offset > kMaxModelBytes) return BadPlan(plan, "a piece lies too far into its file");
  return Status();
}

Status CheckExtent(const LoadPlan& plan, const ManifestExtent& extent) {
  if (extent.length == 0 || extent.length > kMaxModelBytes) {
    return BadPlan(plan, "an extent has " + std::to_string(extent.length) + " bytes");
  }
  uint64_t begin = 0;
  for (const ManifestPiece& piece : extent.pieces) {
    TRIMS_RETURN_IF_ERROR(CheckPiece(plan, piece, begin, extent.length));
    begin = piece.at + piece.length;
  }
  return Status();
}

std::string PreparedPath(const LoadPlan& plan, const std::string& path) {
  return plan.image->variant.folder + "/" + path;
}

Result<std::unique_ptr<RandomAccess>> OpenInSource(const LoadPlan& plan, const std::string& name) {
  TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri(plan.image->source));
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<SourceTree> tree, OpenSourceTree(uri));
  return tree->Open(name);
}

Result<std::unique_ptr<RandomAccess>> OpenPrepared(const LoadPlan& plan, const std::string& path) {
  TRIMS_ASSIGN_OR_RETURN(FileBytes file,
                         FileBytes::OpenBeneath(plan.prepared_root, PreparedPath(plan, path)));
  return std::unique_ptr<RandomAccess>(std::make_unique<FileBytes>(std::move(file)));
}

// The same code as an unknown model's, so the text has to tell them apart.
Status Gone(const LoadPlan& plan, PieceOrigin origin, const std::string& path,
            const Status& status) {
  const std::string whose = origin == PieceOrigin::kSource ? "source files" : "prepared files";
  return Status(
      status.code(),
      "the " + whose + " of model '" + plan.image->reference +
          "' are not where they were: " + status.message(),
      "put '" + PlanPath(plan, origin, path) + "' back, or trims rm the model and add it again");
}

}  // namespace

Status CheckLoadPlan(const LoadPlan& plan) {
  const ManifestVariant& variant = plan.image->variant;
  if (!plan.prepared_root.starts_with('/')) {
    return BadPlan(plan, "the prepared folder '" + plan.prepared_root + "' is not absolute");
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

std::string PlanPath(const LoadPlan& plan, PieceOrigin origin, const std::string& path) {
  if (origin == PieceOrigin::kPrepared) {
    return plan.prepared_root + "/" + PreparedPath(plan, path);
  }
  const Result<SourceUri> uri = ParseSourceUri(plan.image->source);
  if (!uri.ok()) return path + " of " + plan.image->source;
  std::error_code error;
  const bool is_file =
      uri->path.ends_with("/" + path) && !std::filesystem::is_directory(uri->path, error);
  return is_file ? uri->path : uri->path + "/" + path;
}

Result<std::unique_ptr<RandomAccess>> OpenPlanFile(const LoadPlan& plan, PieceOrigin origin,
                                                   const std::string& path) {
  Result<std::unique_ptr<RandomAccess>> file =
      origin == PieceOrigin::kSource ? OpenInSource(plan, path) : OpenPrepared(plan, path);
  if (file.ok() || file.status().code() != StatusCode::kNotFound) return file;
  return Gone(plan, origin, path, file.status());
}

}  // namespace trims
