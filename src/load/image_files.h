// ImageFiles: the files that an image is filled from, opened by where they lie.
//
//   ImageFiles files(*image, "/var/lib/trims/prepared");
//   TRIMS_ASSIGN_OR_RETURN(const auto file, files.Open(piece.origin, piece.path));
//
// Borrows the image. Opening blocks, so it belongs on a worker thread. Thread-safety: one thread.
#ifndef TRIMS_LOAD_IMAGE_FILES_H_
#define TRIMS_LOAD_IMAGE_FILES_H_

#include <memory>
#include <string>
#include <utility>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/image.h"
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

  // Where that file is looked for, for messages.
  std::string PathOf(PieceOrigin origin, const std::string& path) const;

 private:
  Result<std::unique_ptr<RandomAccess>> OpenInSource(const std::string& name);
  Result<std::unique_ptr<RandomAccess>> OpenPrepared(const std::string& path) const;
  std::string PreparedPath(const std::string& path) const {
    return image_.variant.folder + "/" + path;
  }
  Status Gone(PieceOrigin origin, const std::string& path, const Status& why) const;

  const Image& image_;
  const std::string prepared_root_;
  std::unique_ptr<SourceTree> source_;  // once a source file was opened
};

}  // namespace trims

#endif  // TRIMS_LOAD_IMAGE_FILES_H_
