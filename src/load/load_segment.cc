#include "load/load_segment.h"

#include <utility>

#include "base/macros.h"
#include "base/sha256.h"
#include "load/extent_fill.h"
#include "load/load_plan_check.h"
#include "wire/index_check.h"

namespace trims {
namespace {

constexpr char kAddAgain[] = "add the model again";

// The descriptor of an extent of files may be read as the file itself, so it must not be longer,
// which a hugetlb memfd would be.
HugePagePolicy PolicyFor(const LoadPlan& plan) {
  const bool exact = plan.image->variant.kind != Variant::kTensors;
  return exact && plan.pages == HugePagePolicy::kBest ? HugePagePolicy::kNoHugeTlb : plan.pages;
}

Result<std::vector<ExtentWriter>> ReserveExtents(const LoadPlan& plan) {
  std::vector<ExtentWriter> writers;
  writers.reserve(plan.image->variant.extents.size());
  for (const ManifestExtent& extent : plan.image->variant.extents) {
    TRIMS_ASSIGN_OR_RETURN(
        ExtentWriter writer,
        ExtentWriter::Reserve(plan.image->reference, extent.length, PolicyFor(plan)));
    writers.push_back(std::move(writer));
  }
  return writers;
}

Status CheckDigest(const LoadPlan& plan, size_t extent, const std::string& digest) {
  const ManifestExtent& expected = plan.image->variant.extents[extent];
  if (digest == expected.sha256) return Status();
  std::string from;
  if (!expected.pieces.empty()) {
    const ManifestPiece& first = expected.pieces.front();
    from = ", read from '" + PlanPath(plan, first.origin, first.path) + "'";
  }
  return Status(StatusCode::kDataLoss,
                "extent " + std::to_string(extent) + " of '" + plan.image->reference + "'" + from +
                    ", has SHA-256 " + digest + ", expected " + expected.sha256 +
                    ": it changed since it was added",
                kAddAgain);
}

Result<std::vector<std::byte>> ReadIndex(const LoadPlan& plan) {
  const ManifestVariant& variant = plan.image->variant;
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file,
                         OpenPlanFile(plan, PieceOrigin::kPrepared, variant.index_path));
  if (file->size() != variant.index_length) {
    return Status(StatusCode::kDataLoss,
                  "'" + file->name() + "' is " + std::to_string(file->size()) +
                      " bytes, expected " + std::to_string(variant.index_length) +
                      ": it changed since it was added",
                  kAddAgain);
  }
  std::vector<std::byte> bytes(variant.index_length);
  TRIMS_RETURN_IF_ERROR(file->ReadAt(0, bytes));
  if (Sha256Hex(bytes) != variant.index_sha256) {
    return Status(StatusCode::kDataLoss, "'" + file->name() + "' has changed since it was added",
                  kAddAgain);
  }
  return bytes;
}

Result<SealedExtent> LoadIndex(const LoadPlan& plan) {
  TRIMS_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, ReadIndex(plan));
  std::vector<uint64_t> lengths;
  for (const ManifestExtent& extent : plan.image->variant.extents) lengths.push_back(extent.length);
  const Status status = wire::CheckIndex(bytes, lengths);
  if (!status.ok()) {
    return Status(StatusCode::kDataLoss,
                  "the index of '" + plan.image->reference + "' is damaged: " + status.message(),
                  kAddAgain);
  }
  return SealedCopy(plan.image->reference + ".index", bytes);
}

Result<std::vector<Handle>> LoadExtents(const LoadPlan& plan, FillControl& control) {
  TRIMS_ASSIGN_OR_RETURN(std::vector<ExtentWriter> writers, ReserveExtents(plan));
  ExtentFill fill(plan, &writers, control);
  TRIMS_ASSIGN_OR_RETURN(const std::vector<std::string> digests, fill.Run());
  std::vector<Handle> sealed;
  sealed.reserve(writers.size());
  for (size_t i = 0; i < writers.size(); ++i) {
    TRIMS_RETURN_IF_ERROR(CheckDigest(plan, i, digests[i]));
    TRIMS_ASSIGN_OR_RETURN(SealedExtent extent, std::move(writers[i]).Seal());
    sealed.push_back(HandleOf(std::move(extent)));
  }
  return sealed;
}

}  // namespace

Result<ResidentBytes> LoadSegment(const LoadPlan& plan, FillControl& control) {
  TRIMS_RETURN_IF_ERROR(CheckLoadPlan(plan));
  if (control.cancelled()) {
    return Status(StatusCode::kCancelled,
                  "the load of '" + plan.image->reference + "' was given up");
  }
  // The index first: it is small, and most of what can be wrong with a prepared folder shows in it.
  TRIMS_ASSIGN_OR_RETURN(SealedExtent index, LoadIndex(plan));
  TRIMS_ASSIGN_OR_RETURN(std::vector<Handle> extents, LoadExtents(plan, control));
  return ResidentBytes{HandleOf(std::move(index)), std::move(extents)};
}

}  // namespace trims
