// ImageChecker: whether bytes that were read of an image's files are those that its manifest tells of.
//
//   ImageChecker checker(image, prepared_root);
//   TRIMS_RETURN_IF_ERROR(file->ReadAt(offset, bytes));
//   TRIMS_RETURN_IF_ERROR(checker.Check({PieceOrigin::kPrepared, "made"}, offset, bytes));
//
// A manifest tells of chunks of extents (format/chunk_digests.h), which may lie in several files: each chunk
// that the bytes are of is read, compared with its XXH3, and then with the bytes. The last chunk is kept, so
// that files in the order of the extents cost one more reading, out of the page cache. What no extent has of a
// file nobody reads, and nothing tells of it. Blocks. Thread-safety: one thread.
#ifndef TRIMS_INGEST_IMAGE_CHECKER_H_
#define TRIMS_INGEST_IMAGE_CHECKER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/image.h"
#include "ingest/pushed_files.h"
#include "load/image_files.h"

namespace trims {

class ImageChecker {
 public:
  ImageChecker(ImagePtr image, const std::string& prepared_root);

  const Image& image() const { return *image_; }

  // DATA_LOSS: they aren't; errors as ImageFiles::Open.
  Status Check(const FileOfVariant& file, uint64_t offset, std::span<const std::byte> bytes);
  // All of the index, which is no part of an extent and is told of as a whole.
  Result<std::vector<std::byte>> ReadIndex();

  // The files that are opened for that, and for whoever reads them.
  ImageFiles* files() { return &files_; }

 private:
  using FileKey = std::pair<PieceOrigin, std::string>;
  struct Span {  // bytes of a file that an extent has
    uint64_t offset = 0;
    uint64_t length = 0;
    size_t extent = 0;
    uint64_t at = 0;
  };
  struct Chunk {
    size_t extent = 0;
    uint64_t number = 0;
    friend bool operator==(const Chunk&, const Chunk&) = default;
  };

  Status CheckSpan(size_t extent, uint64_t at, std::span<const std::byte> bytes);
  Status Load(const Chunk& chunk);
  Status ReadPieces(const ManifestExtent& extent, uint64_t begin, std::span<std::byte> out);
  Result<const RandomAccess*> Open(const FileKey& key);
  Status Differs(const std::string& what) const;
  std::string HowToMend() const;

  const ImagePtr image_;
  ImageFiles files_;
  std::map<FileKey, std::vector<Span>> spans_;
  std::optional<Chunk> loaded_;
  std::vector<std::byte> buffer_;  // the chunk that is loaded
  FileKey open_key_;
  std::unique_ptr<RandomAccess> open_;  // the last one
};

}  // namespace trims

#endif  // TRIMS_INGEST_IMAGE_CHECKER_H_
