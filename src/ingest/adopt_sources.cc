#include "ingest/adopt_sources.h"

#include <fcntl.h>

#include <cerrno>
#include <set>
#include <string_view>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/plain_path.h"
#include "base/sys.h"
#include "base/unique_fd.h"

namespace trims {
namespace {

// Of a variant's folder; made here, so that the sandbox has put nothing into it.
constexpr const char* kAdopted = "source";

// The folder of adopted files of one variant.
class Adopted {
 public:
  Adopted(const std::string& download, std::string shown)
      : download_(download), shown_(std::move(shown)) {}

  Status Make(const std::string& variant_folder) {
    const UniqueFd variant =
        sys::Open(variant_folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (!variant) return ErrnoStatus("can't open the prepared folder " + shown_);
    if (sys::MakeFolderAt(variant.get(), kAdopted, 0700) != 0) return CantMake(kAdopted);
    fd_ = sys::OpenAt(variant.get(), kAdopted, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd_ ? Status() : ErrnoStatus("can't open the prepared folder " + shown_);
  }

  // Once for each name.
  Status Link(const std::string& name) {
    if (!IsPlainPath(name)) {
      return Status(StatusCode::kInvalidArgument,
                    "a downloaded file's name: expected a plain path, got '" + name + "'");
    }
    if (!linked_.insert(name).second) return Status();
    TRIMS_RETURN_IF_ERROR(MakeFoldersOf(name));
    const std::string from = download_ + "/" + name;
    if (sys::LinkAt(from.c_str(), fd_.get(), name.c_str()) == 0) return Status();
    return ErrnoStatus("can't keep the downloaded file " + from);
  }

 private:
  Status MakeFoldersOf(const std::string& name) {
    for (size_t slash = name.find('/'); slash != std::string::npos;
         slash = name.find('/', slash + 1)) {
      const std::string folder = name.substr(0, slash);
      if (sys::MakeFolderAt(fd_.get(), folder.c_str(), 0700) != 0 && errno != EEXIST)
        return CantMake(folder);
    }
    return Status();
  }
  Status CantMake(const std::string& folder) const {
    return ErrnoStatus("can't make the folder " + folder + " in " + shown_);
  }

  const std::string& download_;
  const std::string shown_;
  UniqueFd fd_;
  std::set<std::string> linked_;
};

Status AdoptVariant(const std::string& download, const std::string& incoming,
                    ManifestVariant* variant) {
  if (!IsPlainName(variant->folder)) {
    return Status(
        StatusCode::kInvalidArgument,
        "a variant's folder: expected a name in the out folder, got '" + variant->folder + "'");
  }
  Adopted adopted(download, variant->folder);
  bool made = false;
  for (ManifestExtent& extent : variant->extents) {
    for (ManifestPiece& piece : extent.pieces) {
      if (piece.origin != PieceOrigin::kSource) continue;
      if (!made) TRIMS_RETURN_IF_ERROR(adopted.Make(incoming + "/" + variant->folder));
      made = true;
      TRIMS_RETURN_IF_ERROR(adopted.Link(piece.path));
      Adopt(&piece);
    }
  }
  return Status();
}

}  // namespace

void Adopt(ManifestPiece* piece) {
  piece->origin = PieceOrigin::kPrepared;
  piece->path = std::string(kAdopted) + "/" + piece->path;
}

Status AdoptSources(const std::string& download, const std::string& incoming, Manifest* manifest) {
  for (ManifestVariant& variant : manifest->variants) {
    TRIMS_RETURN_IF_ERROR(AdoptVariant(download, incoming, &variant));
  }
  return Status();
}

}  // namespace trims
