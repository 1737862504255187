#include "ingest/pushed_files.h"

#include <memory>
#include <set>

#include "base/macros.h"
#include "base/random_access.h"
#include "ingest/adopt_sources.h"
#include "load/image_files.h"

namespace trims {

std::vector<std::pair<std::string, FileOfVariant>> TakeFiles(ManifestVariant* variant) {
  std::vector<std::pair<std::string, FileOfVariant>> files = {
      {variant->index_path, {PieceOrigin::kPrepared, variant->index_path}}};
  std::set<std::string> names = {variant->index_path};
  for (ManifestExtent& extent : variant->extents) {
    for (ManifestPiece& piece : extent.pieces) {
      FileOfVariant file{piece.origin, piece.path};
      if (piece.origin == PieceOrigin::kSource) Adopt(&piece);
      if (names.insert(piece.path).second) files.emplace_back(piece.path, std::move(file));
    }
  }
  return files;
}

Result<std::vector<FileToPush>> FilesToPush(const std::vector<ImagePtr>& images,
                                            const std::string& prepared_root, CancelToken* cancel,
                                            Manifest* manifest) {
  std::vector<FileToPush> files;
  for (size_t i = 0; i < images.size(); ++i) {
    ManifestVariant& variant = manifest->variants[i];
    variant.remote.reset();
    ImageFiles opened(*images[i], prepared_root);
    TRIMS_RETURN_IF_ERROR(opened.FetchMissing({.cancel = cancel}));
    for (auto& [name, file] : TakeFiles(&variant)) {
      TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes,
                             opened.Open(file.origin, file.path));
      files.push_back({.name = variant.folder + "/" + name,
                       .file = std::move(file),
                       .variant = i,
                       .length = bytes->size()});
    }
  }
  return files;
}

uint64_t TotalLength(const std::vector<FileToPush>& files) {
  uint64_t total = 0;
  for (const FileToPush& file : files) total += file.length;
  return total;
}

}  // namespace trims
