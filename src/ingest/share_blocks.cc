#include "ingest/share_blocks.h"

#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "base/direct_file.h"
#include "base/errno_status.h"
#include "base/granularity.h"
#include "base/macros.h"
#include "base/sys.h"
#include "base/unique_fd.h"
#include "ingest/record_digests.h"
#include "ingest/share_plan.h"
#include "load/digest_variant.h"
#include "load/image_files.h"
#include "store/prepared_folders.h"

namespace trims {
namespace {

constexpr std::string_view kPartFile = "part";

Status Changed(const ManifestVariant& variant) {
  return Status(StatusCode::kFailedPrecondition,
                "the variant " + std::string(VariantName(variant.kind)) +
                    " is not what was prepared: the files changed meanwhile",
                "run 'trims add' again when the files are complete");
}

bool CanShare(const ManifestVariant& variant) {
  return variant.kind != Variant::kOrt && variant.ExtentBytes() >= kShareBlockBytes;
}

// Whether it is of the same model, prepared in the same way: then what it has itself is what is to be there again.
bool IsTwin(const Image& candidate, const Image& image) {
  return candidate.kind == image.kind && candidate.variant_key == image.variant_key &&
         candidate.digest == image.digest &&
         candidate.variant.index_sha256 == image.variant.index_sha256 &&
         candidate.variant.RangeLengths() == image.variant.RangeLengths();
}

// Each part once; of a twin only what it borrows, so that a model that is added again, to mend it, doesn't borrow from what is
// damaged, and comes to be what it was.
std::vector<ImagePtr> PartsToBorrow(const std::vector<ImagePtr>& candidates, const Image& image) {
  std::vector<ImagePtr> parts;
  for (const ImagePtr& candidate : candidates) {
    if (!IsTwin(*candidate, image)) continue;
    for (const ImagePtr& part : PartsOf(candidate).subspan(1)) parts.push_back(part);
    return parts;
  }
  std::set<std::string_view> seen;
  for (const ImagePtr& candidate : candidates) {
    for (const ImagePtr& part : PartsOf(candidate)) {
      const bool has = std::ranges::any_of(
          part->variant.extents, [](const auto& extent) { return !extent.blocks.empty(); });
      if (has && !part->variant.remote && seen.insert(part->key).second) parts.push_back(part);
    }
  }
  return parts;
}

// Bytes of the extents, wherever their pieces lie; what no piece covers is zero.
class ExtentReader {
 public:
  ExtentReader(const Image& image, const std::string& root) : image_(image), files_(image, root) {}

  Status Read(size_t extent, uint64_t begin, std::span<std::byte> out) {
    std::ranges::fill(out, std::byte{});
    const uint64_t end = begin + out.size();
    const std::vector<ManifestPiece>& pieces = image_.variant.extents[extent].pieces;
    auto piece = std::ranges::upper_bound(pieces, begin, {}, &ManifestPiece::at);
    if (piece != pieces.begin()) --piece;
    for (; piece != pieces.end() && piece->at < end; ++piece) {
      const uint64_t from = std::max(piece->at, begin);
      const uint64_t to = std::min(piece->at + piece->length, end);
      if (from >= to) continue;
      TRIMS_RETURN_IF_ERROR(Open(*piece));
      TRIMS_RETURN_IF_ERROR(
          file_->ReadAt(piece->offset + (from - piece->at), out.subspan(from - begin, to - from)));
    }
    return Status();
  }

 private:
  Status Open(const ManifestPiece& piece) {
    if (file_ != nullptr && origin_ == piece.origin && path_ == piece.path) return Status();
    TRIMS_ASSIGN_OR_RETURN(file_, files_.Open(piece.origin, piece.path));
    origin_ = piece.origin;
    path_ = piece.path;
    return Status();
  }

  const Image& image_;
  ImageFiles files_;
  std::unique_ptr<RandomAccess> file_;
  PieceOrigin origin_ = PieceOrigin::kPrepared;
  std::string path_;
};

// What is compared with the digests that were planned with is read again from there.
Status WriteOwn(const Image& image, const std::string& incoming, const SharePlan& plan,
                const std::string& path) {
  UniqueFd fd = sys::Open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (!fd) return ErrnoStatus("can't make " + path);
  const DirectFile file(std::move(fd), path);
  ExtentReader reader(image, incoming);
  std::vector<std::byte> buffer(kShareBlockBytes);
  for (const SharePlan::Own& own : plan.own) {
    const std::span<std::byte> bytes = std::span(buffer).first(own.length);
    TRIMS_RETURN_IF_ERROR(reader.Read(own.extent, own.at, bytes));
    if (!file.WriteAt(bytes, own.to)) return ErrnoStatus("can't write " + path);
  }
  return Status();
}

ManifestVariant PutTogether(const ManifestVariant& prepared, const SharePlan& plan) {
  ManifestVariant variant = prepared;
  variant.granularity = Granularity::kBlock;
  variant.extents = {ManifestExtent{.length = plan.own_length,
                                    .pieces = {{.origin = PieceOrigin::kPrepared,
                                                .path = std::string(kPartFile),
                                                .length = plan.own_length}}}};
  if (plan.plain()) return variant;
  variant.lengths = prepared.RangeLengths();
  variant.runs = plan.runs;
  for (const ImagePtr& part : plan.borrowed) variant.borrowed.push_back(part->variant);
  return variant;
}

Image OwnImageOf(const Image& image, const ManifestVariant& variant) {
  Image own = image;
  own.variant = variant;
  return own;
}

// Of the part as it lies there now, which has to be what was planned with.
Status RecordOwn(const Image& image, const std::string& incoming, const SharePlan& plan,
                 ManifestVariant* variant) {
  FillControl control;
  const Image own = OwnImageOf(image, *variant);
  TRIMS_ASSIGN_OR_RETURN(std::vector<BlockDigests> found, DigestBlocks(own, incoming, &control));
  TRIMS_ASSIGN_OR_RETURN(const std::vector<ExtentDigests> digests,
                         DigestVariant(own, incoming, &control));
  const std::vector<Sha256::Digest>& blocks = found.front().blocks;
  const bool same = blocks.size() >= plan.blocks.size() &&
                    std::equal(plan.blocks.begin(), plan.blocks.end(), blocks.begin());
  if (!same || digests.front().xxh3 != found.front().xxh3) return Changed(*variant);
  ManifestExtent& extent = variant->extents.front();
  extent.xxh3 = digests.front().xxh3;
  extent.sha256 = digests.front().sha256;
  extent.blocks = plan.blocks;
  return Status();
}

Result<SharePlan> PlanFor(const Image& image, const std::string& incoming,
                          const std::vector<ImagePtr>& candidates) {
  FillControl control;
  TRIMS_ASSIGN_OR_RETURN(std::vector<BlockDigests> digests,
                         DigestBlocks(image, incoming, &control));
  std::vector<std::vector<Sha256::Digest>> blocks;
  for (size_t i = 0; i < digests.size(); ++i) {
    if (digests[i].xxh3 != image.variant.extents[i].xxh3) return Changed(image.variant);
    blocks.push_back(std::move(digests[i].blocks));
  }
  return PlanSharing(image.variant.RangeLengths(), blocks, PartsToBorrow(candidates, image));
}

// The folder holds the index and the part afterwards, and nothing else.
Status ShareVariant(const Image& image, const std::string& incoming,
                    const std::vector<ImagePtr>& candidates, ManifestVariant* variant) {
  TRIMS_ASSIGN_OR_RETURN(const SharePlan plan, PlanFor(image, incoming, candidates));
  if (plan.impossible()) return RecordVariantDigests(image, incoming, variant);
  const std::string folder = incoming + "/" + variant->folder;
  const std::string beside = folder + ".part";
  TRIMS_RETURN_IF_ERROR(WriteOwn(image, incoming, plan, beside));
  TRIMS_RETURN_IF_ERROR(prepared::RemoveFiles(folder, variant->index_path));
  const std::string path = folder + "/" + std::string(kPartFile);
  if (sys::Rename(beside.c_str(), path.c_str()) != 0) return ErrnoStatus("can't name " + path);
  ManifestVariant shared = PutTogether(*variant, plan);
  TRIMS_RETURN_IF_ERROR(RecordOwn(image, incoming, plan, &shared));
  *variant = std::move(shared);
  return Status();
}

}  // namespace

Status ShareBlocks(const std::string& incoming, const std::vector<ImagePtr>& candidates,
                   Granularity granularity, Manifest* manifest) {
  const std::vector<ImagePtr> images = MakeImages(*manifest, "the model", "new");
  for (size_t i = 0; i < images.size(); ++i) {
    ManifestVariant& variant = manifest->variants[i];
    TRIMS_RETURN_IF_ERROR(CanShare(variant)
                              ? ShareVariant(*images[i], incoming, candidates, &variant)
                              : RecordVariantDigests(*images[i], incoming, &variant));
    // Only these are laid by layers.
    const bool by_layer =
        variant.granularity == Granularity::kBlock && variant.kind == Variant::kTensors;
    if (by_layer) variant.granularity = granularity;
  }
  return Status();
}

}  // namespace trims
