#include "load/fill.h"

#include <fcntl.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/sys.h"
#include "base/unique_fd.h"
#include "base/write_all.h"
#include "format/chunk_digests.h"
#include "load/fill_extents.h"
#include "load/image_files.h"
#include "load/read_index.h"
#include "store/machine_memory.h"
#include "store/prepared_folders.h"

namespace trims {
namespace {

// The descriptor of an extent of files may be read as the file itself, so it must not be longer,
// which a hugetlb memfd would be. Of one that others borrow, runs that begin at small pages are mapped.
HugePagePolicy PolicyFor(const Image& image, HugePagePolicy pages) {
  const bool exact =
      image.kind != Variant::kTensors || image.variant.granularity != Granularity::kModel;
  return exact && pages == HugePagePolicy::kBest ? HugePagePolicy::kNoHugeTlb : pages;
}

// All extents together: each alone, which its writer asks for, might fit. Before any page is there, so
// that what is missing is known at once.
Status CheckMemory(const Image& image, HugePagePolicy pages) {
  if (image.variant.extents.size() < 2) return Status();
  const uint64_t bytes = image.variant.ExtentBytes();
  if (bytes < kWorthAskingBytes) return Status();
  const uint64_t pool = pages == HugePagePolicy::kBest ? FreeHugeTlbBytes() : 0;
  return CheckAvailable(bytes - std::min(bytes, pool), "'" + image.reference + "'");
}

Result<std::vector<ExtentWriter>> ReserveExtents(const Image& image, HugePagePolicy pages) {
  TRIMS_RETURN_IF_ERROR(CheckMemory(image, pages));
  std::vector<ExtentWriter> writers;
  writers.reserve(image.variant.extents.size());
  for (const ManifestExtent& extent : image.variant.extents) {
    TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer,
                           ExtentWriter::Reserve(image.reference, extent.length, pages));
    writers.push_back(std::move(writer));
  }
  return writers;
}

// A version that has a label takes no other content while it is there.
std::string HowToMend(const Image& image) {
  return "put the files back as they were, or: trims rm " + image.reference + ", and add it again";
}

// Where the first chunk that differs lies; an extent's SHA-256 doesn't tell.
std::string WhereItDiffers(const ManifestExtent& expected, const ExtentDigests& found) {
  const auto [differs, other] = std::mismatch(expected.xxh3.begin(), expected.xxh3.end(),
                                              found.xxh3.begin(), found.xxh3.end());
  if (found.xxh3.empty() || differs == expected.xxh3.end()) return "";
  const uint64_t begin = (differs - expected.xxh3.begin()) * kDigestChunkBytes;
  return " in the bytes from " + std::to_string(begin) + " to " +
         std::to_string(std::min(begin + kDigestChunkBytes, expected.length));
}

Status CheckDigest(const Image& image, const ImageFiles& files, size_t extent,
                   const ExtentDigests& found) {
  const ManifestExtent& expected = image.variant.extents[extent];
  const bool same = (found.sha256.empty() || found.sha256 == expected.sha256) &&
                    (found.xxh3.empty() || found.xxh3 == expected.xxh3);
  if (same) return Status();
  std::string from;
  if (!expected.pieces.empty()) {
    const ManifestPiece& first = expected.pieces.front();
    from = ", read from '" + files.PathOf(first.origin, first.path) + "'";
  }
  // Without the digest that was found: a source may lead to bytes that are not for the client.
  return Status(StatusCode::kDataLoss,
                "extent " + std::to_string(extent) + " of '" + image.reference + "'" + from +
                    ", has not the digest that was recorded" + WhereItDiffers(expected, found) +
                    ": it changed since it was added",
                HowToMend(image));
}

// An index that came from elsewhere. Without it, it comes again next time.
void KeepIndex(const Image& image, const FillOptions& options, std::span<const std::byte> bytes) {
  const std::string folder = options.prepared_root + "/" + image.variant.folder;
  const std::string unfinished = folder + "/" + std::string(prepared::kUnfinishedPrefix) + "index";
  const UniqueFd fd =
      sys::Open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const std::string path = folder + "/" + image.variant.index_path;
  const bool kept = fd && WriteAll(fd.get(), bytes) && sys::Fsync(fd.get()) == 0 &&
                    sys::Rename(unfinished.c_str(), path.c_str()) == 0;
  if (kept) return;
  LogWarning("copy.not_kept",
             {{"model", image.reference}, {"error", ErrnoStatus("can't write " + path)}});
  if (fd) sys::Unlink(unfinished.c_str());
}

Result<SealedExtent> LoadIndex(const Image& image, const FillOptions& options, ImageFiles* files) {
  TRIMS_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                         ReadIndex(image, files, HowToMend(image)));
  const bool came = files->missing().contains(image.variant.index_path);
  if (came && options.keep.copy != nullptr) KeepIndex(image, options, bytes);
  return SealIndex(image, bytes, HowToMend(image));
}

// None where nothing is to be kept, or can't be: a load doesn't fail for that.
std::unique_ptr<KeptCopy> StartCopy(const Image& image, const FillOptions& options,
                                    const ImageFiles& files,
                                    const std::vector<ExtentWriter>& writers) {
  if (options.keep.copy == nullptr || !files.fetches_extents()) return nullptr;
  Result<std::unique_ptr<KeptCopy>> copy = KeptCopy::Start({.image = image,
                                                            .prepared_root = options.prepared_root,
                                                            .missing = files.missing(),
                                                            .cancel = options.keep.cancel},
                                                           writers);
  if (copy.ok()) return *std::move(copy);
  LogWarning("copy.not_kept", {{"model", image.reference}, {"error", copy.status()}});
  return nullptr;
}

Result<std::vector<Handle>> Seal(std::vector<ExtentWriter> writers) {
  std::vector<Handle> sealed;
  sealed.reserve(writers.size());
  for (ExtentWriter& writer : writers) {
    TRIMS_ASSIGN_OR_RETURN(SealedExtent extent, std::move(writer).Seal());
    sealed.push_back(HandleOf(std::move(extent)));
  }
  return sealed;
}

// The index is small: whoever follows has one of his own.
Status BeginFeed(const SealedExtent& index, const std::vector<ExtentWriter>& writers,
                 FillFeed* feed) {
  FedBytes fed;
  fed.index.fd = sys::ReopenReadOnly(index.read_only_fd());
  fed.index.length = index.length();
  if (!fed.index.fd) return ErrnoStatus("re-opening an index");
  for (const ExtentWriter& writer : writers) {
    TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, writer.OpenToRead());
    fed.extents.push_back({.fd = std::move(fd), .length = writer.length()});
  }
  feed->Begin(std::move(fed));
  return Status();
}

Result<std::vector<Handle>> LoadExtents(const Image& image, const FillOptions& options,
                                        const SealedExtent& index, ImageFiles* files,
                                        FillControl* control) {
  TRIMS_ASSIGN_OR_RETURN(std::vector<ExtentWriter> writers,
                         ReserveExtents(image, PolicyFor(image, options.pages)));
  std::unique_ptr<KeptCopy> copy = StartCopy(image, options, *files, writers);
  FillFeed* const feed = options.feeds ? control->feed() : nullptr;
  if (feed != nullptr) TRIMS_RETURN_IF_ERROR(BeginFeed(index, writers, feed));
  const FillHow how{
      .engine = options.engine, .network = options.network, .copy = copy.get(), .feed = feed};
  TRIMS_ASSIGN_OR_RETURN(const std::vector<ExtentDigests> digests,
                         FillExtents(image, how, files, &writers, control));
  for (size_t i = 0; i < digests.size(); ++i) {
    const Status right = CheckDigest(image, *files, i, digests[i]);
    if (right.ok()) continue;
    if (copy != nullptr) copy->Discard();
    return right;
  }
  const KeptCopy::Pause pause(copy.get());  // pages that are being written can't be sealed
  TRIMS_ASSIGN_OR_RETURN(std::vector<Handle> sealed, Seal(std::move(writers)));
  if (copy != nullptr) *options.keep.copy = std::move(copy);
  return sealed;
}

// The index first: it is small, and most of what can be wrong with a prepared folder shows in it.
Result<ResidentBytes> Fill(const Image& image, const FillOptions& options, FillControl* control) {
  ImageFiles files(image, options.prepared_root);
  TRIMS_RETURN_IF_ERROR(
      files.FetchMissing({.patience = options.network.patience, .cancel = control->token()}));
  TRIMS_ASSIGN_OR_RETURN(SealedExtent index, LoadIndex(image, options, &files));
  TRIMS_ASSIGN_OR_RETURN(std::vector<Handle> extents,
                         LoadExtents(image, options, index, &files, control));
  return ResidentBytes{HandleOf(std::move(index)), std::move(extents)};
}

// Of an image that also lies on a network: either what is here is damaged, and of no more use, or what came.
Status Discard(const Image& image, const FillOptions& options, const Status& damage) {
  LogWarning("copy.damaged",
             {{"model", image.reference}, {"variant", VariantName(image.kind)}, {"error", damage}});
  return prepared::RemoveFiles(options.prepared_root + "/" + image.variant.folder, "");
}

// Once: what differs again, or has changed again, is so at its source. What was here a moment ago may have gone
// from the disk for something else, and is fetched then.
Result<ResidentBytes> FillFromAnywhere(const Image& image, const FillOptions& options,
                                       FillControl* control) {
  Result<ResidentBytes> filled = Fill(image, options, control);
  const StatusCode code = filled.status().code();
  if (!image.variant.remote) return filled;
  if (code == StatusCode::kDataLoss || code == StatusCode::kFailedPrecondition) {
    // Without room to keep a copy in, what is here may be another model's, too, and lie nowhere else.
    if (options.keep.copy == nullptr) return filled;
    TRIMS_RETURN_IF_ERROR(Discard(image, options, filled.status()));
  } else if (code != StatusCode::kNotFound) {
    return filled;
  }
  return Fill(image, options, control);
}

Status GivenUp(const Image& image) {
  return Status(StatusCode::kCancelled, "the load of '" + image.reference + "' was given up");
}

}  // namespace

Result<ResidentBytes> FillFromFiles(const Image& image, const FillOptions& options,
                                    FillControl* control) {
  if (control->cancelled()) return GivenUp(image);
  Result<ResidentBytes> filled = FillFromAnywhere(image, options, control);
  if (filled.status().code() == StatusCode::kCancelled) return GivenUp(image);
  return filled;
}

}  // namespace trims
