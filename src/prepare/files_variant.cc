#include "prepare/files_variant.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/random_access.h"
#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "prepare/finish_variant.h"
#include "wire/protocol.h"

namespace trims {
namespace {

constexpr uint64_t kAloneBytes = uint64_t{1} << 20;
constexpr size_t kReadBytes = size_t{1} << 20;
const std::string kUndigested(64, '0');

// Without sums.
ManifestExtent ExtentOf(const ListedFile& file) {
  return {.length = file.length, .pieces = {{PieceOrigin::kSource, file.name, 0, file.length, 0}}};
}

void AddTo(ManifestExtent* shared, const ListedFile& file) {
  const uint64_t at = AlignUp(shared->length, kFileAlignment);
  shared->pieces.push_back({PieceOrigin::kSource, file.name, 0, file.length, at});
  shared->length = at + file.length;
}

FilesPlan PlanOf(const PrepareContext& context) {
  std::vector<uint64_t> lengths;
  for (const ListedFile& file : context.source.files()) lengths.push_back(file.length);
  return PlanFiles(lengths, wire::kMaxExtents);
}

class Hasher {
 public:
  Hasher(const PrepareContext& context, const std::atomic<bool>* stop, HashedFiles* result)
      : context_(context), stop_(stop), result_(*result), buffer_(kReadBytes) {
    for (const ListedFile& file : context.source.files()) {
      total_ += file.length;
      result_.files.push_back({file.name, file.length, {}});
    }
  }

  Status Run() {
    for (size_t i = 0; i < result_.files.size(); ++i) {
      if (result_.files[i].length == 0) result_.files[i].sha256 = Sha256().FinishHex();
    }
    TRIMS_RETURN_IF_ERROR(HashShared());
    for (const size_t i : result_.plan.alone) {
      ChunkSums sums;
      TRIMS_RETURN_IF_ERROR(HashFile(i, &sums));
      result_.extents.push_back(ExtentOf(context_.source.files()[i]));
      result_.extents.back().xxh3 = sums.Finish();
    }
    return Status();
  }

 private:
  Status HashShared() {
    if (result_.plan.shared.empty()) return Status();
    ManifestExtent extent;
    ChunkSums sums;
    for (const size_t i : result_.plan.shared) {
      const uint64_t before = extent.length;
      AddTo(&extent, context_.source.files()[i]);
      sums.UpdateZeros(extent.pieces.back().at - before);
      TRIMS_RETURN_IF_ERROR(HashFile(i, &sums));
    }
    extent.xxh3 = sums.Finish();
    result_.extents.push_back(std::move(extent));
    return Status();
  }

  // `sums`: of the extent in which the file lies.
  Status HashFile(size_t i, ChunkSums* sums) {
    const ListedFile& file = context_.source.files()[i];
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes,
                           context_.source.Open(file.name));
    Sha256 hash;
    TRIMS_RETURN_IF_ERROR(ForEachChunk(*bytes, 0, file.length, buffer_, [&](auto chunk) {
      hash.Update(chunk);
      sums->Update(chunk);
      context_.progress.Report("read", done_ += chunk.size(), total_);
      const bool stopped = stop_ != nullptr && stop_->load(std::memory_order_relaxed);
      return stopped ? Status(StatusCode::kCancelled, "nobody waits for the digests") : Status();
    }));
    result_.files[i].sha256 = hash.FinishHex();
    return Status();
  }

  const PrepareContext& context_;
  const std::atomic<bool>* const stop_;
  HashedFiles& result_;
  std::vector<std::byte> buffer_;
  uint64_t done_ = 0;
  uint64_t total_ = 0;
};

}  // namespace

FilesPlan PlanFiles(std::span<const uint64_t> lengths, size_t max_extents) {
  FilesPlan plan;
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] == 0) continue;
    const bool alone = lengths.size() == 1 || lengths[i] >= kAloneBytes;
    (alone ? plan.alone : plan.shared).push_back(i);
  }
  const auto extents = [&] { return plan.alone.size() + (plan.shared.empty() ? 0 : 1); };
  if (extents() <= max_extents) return plan;
  std::stable_sort(plan.alone.begin(), plan.alone.end(),
                   [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });
  while (extents() > max_extents) {
    plan.shared.push_back(plan.alone.back());
    plan.alone.pop_back();
  }
  std::sort(plan.shared.begin(), plan.shared.end());
  std::sort(plan.alone.begin(), plan.alone.end());
  return plan;
}

Result<HashedFiles> HashFiles(const PrepareContext& context, const std::atomic<bool>* stop) {
  HashedFiles result;
  result.plan = PlanOf(context);
  TRIMS_RETURN_IF_ERROR(Hasher(context, stop, &result).Run());
  return result;
}

HashedFiles UndigestedFiles(const PrepareContext& context) {
  HashedFiles result;
  result.plan = PlanOf(context);
  const std::vector<ListedFile>& files = context.source.files();
  for (const ListedFile& file : files)
    result.files.push_back({file.name, file.length, kUndigested});
  ManifestExtent shared;
  for (const size_t i : result.plan.shared) AddTo(&shared, files[i]);
  if (shared.length > 0) result.extents.push_back(std::move(shared));
  for (const size_t i : result.plan.alone) result.extents.push_back(ExtentOf(files[i]));
  for (ManifestExtent& extent : result.extents) extent.xxh3.resize(ChunkCount(extent.length));
  return result;
}

Result<ManifestVariant> MakeFilesVariant(const PrepareContext& context, const HashedFiles& hashed,
                                         std::map<std::string, std::string> metadata) {
  IndexContent content;
  content.metadata = std::move(metadata);
  for (const ManifestFile& file : hashed.files) {
    if (file.length == 0) content.files.push_back({.name = file.name});
  }
  uint32_t extent = 0;
  if (!hashed.plan.shared.empty()) {
    for (size_t i = 0; i < hashed.plan.shared.size(); ++i) {
      const ManifestFile& file = hashed.files[hashed.plan.shared[i]];
      content.files.push_back(
          {file.name, extent, hashed.extents[0].pieces[i].at, file.length, false});
    }
    ++extent;
  }
  for (const size_t i : hashed.plan.alone) {
    const ManifestFile& file = hashed.files[i];
    content.files.push_back({file.name, extent++, 0, file.length, true});
  }
  return FinishVariant(context.out, Variant::kFiles, "", hashed.extents, std::move(content));
}

}  // namespace trims
