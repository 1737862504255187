#include "ingest/push_to_bucket.h"

#include <map>
#include <memory>
#include <span>
#include <utility>

#include "base/macros.h"
#include "base/random_access.h"
#include "base/sha256.h"
#include "ingest/image_checker.h"
#include "ingest/pushed_files.h"
#include "ingest/pushed_folder.h"
#include "source/s3_destination.h"

namespace trims {
namespace {

// A file of an image, each reading of which is compared with the digests.
class CheckedFile final : public RandomAccess {
 public:
  CheckedFile(std::shared_ptr<ImageChecker> checker, FileOfVariant file,
              std::unique_ptr<RandomAccess> bytes)
      : checker_(std::move(checker)), file_(std::move(file)), bytes_(std::move(bytes)) {}
  const std::string& name() const override { return bytes_->name(); }
  uint64_t size() const override { return bytes_->size(); }
  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override {
    TRIMS_RETURN_IF_ERROR(bytes_->ReadAt(offset, out));
    return checker_->Check(file_, offset, out);
  }

 private:
  const std::shared_ptr<ImageChecker> checker_;
  const FileOfVariant file_;
  const std::unique_ptr<RandomAccess> bytes_;
};

class OwnedBytes final : public RandomAccess {
 public:
  OwnedBytes(std::vector<std::byte> bytes, const std::string& name)
      : owned_(std::move(bytes)), bytes_(owned_, name) {}
  const std::string& name() const override { return bytes_.name(); }
  uint64_t size() const override { return bytes_.size(); }
  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override {
    return bytes_.ReadAt(offset, out);
  }

 private:
  const std::vector<std::byte> owned_;
  const SpanBytes bytes_;
};

bool IsIndex(const Image& image, const FileOfVariant& file) {
  return file.origin == PieceOrigin::kPrepared && file.path == image.variant.index_path;
}

// The checker of the image whose files are being read; those of an image come one after the other.
class Checkers {
 public:
  Checkers(std::string prepared_root, CancelToken* cancel)
      : prepared_root_(std::move(prepared_root)), cancel_(cancel) {}

  Result<std::shared_ptr<ImageChecker>> For(const ImagePtr& image) {
    if (last_ != nullptr && &last_->image() == image.get()) return last_;
    auto checker = std::make_shared<ImageChecker>(image, prepared_root_);
    TRIMS_RETURN_IF_ERROR(checker->files()->FetchMissing({.cancel = cancel_}));
    last_ = std::move(checker);
    return last_;
  }

 private:
  const std::string prepared_root_;
  CancelToken* const cancel_;
  std::shared_ptr<ImageChecker> last_;
};

Result<std::unique_ptr<RandomAccess>> OpenChecked(const std::shared_ptr<ImageChecker>& checker,
                                                  const FileOfVariant& file) {
  if (IsIndex(checker->image(), file)) {
    TRIMS_ASSIGN_OR_RETURN(std::vector<std::byte> bytes, checker->ReadIndex());
    return std::unique_ptr<RandomAccess>(std::make_unique<OwnedBytes>(std::move(bytes), file.path));
  }
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccess> bytes,
                         checker->files()->Open(file.origin, file.path));
  return std::unique_ptr<RandomAccess>(
      std::make_unique<CheckedFile>(checker, file, std::move(bytes)));
}

// What a manifest says of each file of an image: where in which extents its bytes are, or the index's digest.
// Equal where all is equal that anybody reads of it.
class Contents {
 public:
  explicit Contents(const Image& image) : image_(image) {
    for (const ManifestExtent& extent : image.variant.extents) {
      for (const ManifestPiece& piece : extent.pieces) {
        texts_[{piece.origin, piece.path}] += extent.sha256 + " " + std::to_string(piece.at) + " " +
                                              std::to_string(piece.offset) + " " +
                                              std::to_string(piece.length) + "\n";
      }
    }
  }

  std::string Of(const FileOfVariant& file) {
    if (IsIndex(image_, file)) return image_.variant.index_sha256;
    return Sha256Hex(std::as_bytes(std::span(texts_[{file.origin, file.path}])));
  }

 private:
  const Image& image_;
  std::map<std::pair<PieceOrigin, std::string>, std::string> texts_;
};

std::vector<UploadFile> UploadsOf(const std::vector<FileToPush>& files,
                                  const std::vector<ImagePtr>& images,
                                  const std::string& prepared_root, CancelToken* cancel) {
  std::vector<Contents> contents;
  for (const ImagePtr& image : images) contents.emplace_back(*image);
  const auto checkers = std::make_shared<Checkers>(prepared_root, cancel);
  std::vector<UploadFile> uploads;
  for (const FileToPush& file : files) {
    uploads.push_back({.name = file.name,
                       .length = file.length,
                       .content = contents[file.variant].Of(file.file),
                       .open = [checkers, image = images[file.variant],
                                file = file.file]() -> Result<std::unique_ptr<RandomAccess>> {
                         TRIMS_ASSIGN_OR_RETURN(const std::shared_ptr<ImageChecker> checker,
                                                checkers->For(image));
                         return OpenChecked(checker, file);
                       }});
  }
  return uploads;
}

UploadFile UploadOfManifest(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {.name = std::string(kPushedManifest),
          .length = bytes.size(),
          .content = Sha256Hex(bytes),
          .open = [bytes]() -> Result<std::unique_ptr<RandomAccess>> {
            return std::unique_ptr<RandomAccess>(
                std::make_unique<SpanBytes>(bytes, std::string(kPushedManifest)));
          }};
}

}  // namespace

Result<uint64_t> PushToBucket(const Manifest& manifest, const std::vector<ImagePtr>& images,
                              const std::string& prepared_root, const SourceUri& uri,
                              const PushCalls& calls, RemoteStoreOptions options) {
  options.cancel = calls.cancel;
  Manifest pushed = manifest;
  TRIMS_ASSIGN_OR_RETURN(const std::vector<FileToPush> files,
                         FilesToPush(images, prepared_root, calls.cancel, &pushed));
  const std::string text = ManifestToJson(pushed);
  std::vector<UploadFile> uploads = UploadsOf(files, images, prepared_root, calls.cancel);
  uploads.push_back(UploadOfManifest(text));
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<S3Destination> destination,
                         S3Destination::Open(uri, options));
  TRIMS_RETURN_IF_ERROR(destination->Upload(uploads, [&calls](uint64_t done, uint64_t total) {
    if (calls.progress) calls.progress("upload", done, total);
  }));
  return TotalLength(files) + text.size();
}

}  // namespace trims
