// ImageFiles: the files that an image is filled from, opened by where they lie.
//
//   ImageFiles files(*image, "/var/lib/trims/prepared");
//   TRIMS_ASSIGN_OR_RETURN(const auto file, files.Open(piece.origin, piece.path));
//
// Of an image that also lies on a network (ManifestVariant::remote), what this disk hasn't can be read there:
//
//   TRIMS_RETURN_IF_ERROR(files.FetchMissing({.cancel = &token}));
//   files.missing();  // {"extent"}: what Open() opens at its source from here on
//
// Borrows the image. Opening blocks, so it belongs on a worker thread. Thread-safety: one thread.
#ifndef TRIMS_LOAD_IMAGE_FILES_H_
#define TRIMS_LOAD_IMAGE_FILES_H_

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/image.h"
#include "source/open_remote_store.h"
#include "source/remote_tree.h"
#include "source/source_tree.h"

namespace trims {

class ImageFiles {
 public:
  // `prepared_root` is the absolute folder in which the images' folders lie.
  ImageFiles(const Image& image, std::string prepared_root)
      : image_(image), prepared_root_(std::move(prepared_root)) {}

  // A file of the model's source, or of the image's folder and nowhere beside it. INVALID_ARGUMENT:
  // `path` is not plain; NOT_FOUND says how to mend it; PERMISSION_DENIED: a link leads out; errors as
  // ParseSourceUri's.
  Result<std::unique_ptr<RandomAccess>> Open(PieceOrigin origin, const std::string& path);

  // Finds out which prepared files are not on this disk, and where they lie on the network: waits for that if
  // there are any. Errors as RemoteTree::Open's.
  Status FetchMissing(const RemoteStoreOptions& network);
  const std::set<std::string>& missing() const { return missing_; }
  // Whether bytes of extents are among it.
  bool fetches_extents() const {
    return missing_.size() > (missing_.contains(image_.variant.index_path) ? 1u : 0u);
  }

  // Where that file is looked for, for messages.
  std::string PathOf(PieceOrigin origin, const std::string& path) const;

 private:
  Result<std::unique_ptr<RandomAccess>> OpenInSource(const std::string& name);
  Result<std::unique_ptr<RandomAccess>> OpenPrepared(const std::string& path) const;
  Result<std::unique_ptr<RandomAccess>> OpenRemote(const std::string& path) const;
  Result<bool> IsHere(const std::string& path) const;
  std::string PreparedPath(const std::string& path) const {
    return image_.variant.folder + "/" + path;
  }
  Status Gone(PieceOrigin origin, const std::string& path, const Status& why) const;

  const Image& image_;
  const std::string prepared_root_;
  std::unique_ptr<SourceTree> source_;        // once a source file was opened
  std::set<std::string> missing_;             // of the image's folder
  std::shared_ptr<const RemoteTree> remote_;  // where they are, if there are any
};

}  // namespace trims

#endif  // TRIMS_LOAD_IMAGE_FILES_H_
