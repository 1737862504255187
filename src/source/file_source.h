// FileSource: one regular file, read by byte ranges, past the page cache where that is faster.
//
// Bytes that lie in the page cache are copied from there; others are read with O_DIRECT straight
// into the destination if offset and address are multiples of 4 KiB, so that a cold load neither
// copies nor fills the cache. Where O_DIRECT is refused (tmpfs, some network file systems), reads
// are buffered.
//
//   TRIMS_ASSIGN_OR_RETURN(FileSource file, FileSource::OpenBeneath("/models", "net/weights.bin"));
//   TRIMS_RETURN_IF_ERROR(file.ReadAt(0, {writer.data(), length}));
//
// Holding one costs two descriptors. The file may change meanwhile: who reads checks a digest.
// Thread-safety: reading from any thread.
#ifndef TRIMS_SOURCE_FILE_SOURCE_H_
#define TRIMS_SOURCE_FILE_SOURCE_H_

#include <atomic>
#include <memory>
#include <string>

#include "trims/status.h"

#include "base/unique_fd.h"
#include "source/source.h"

namespace trims {

class FileSource final : public Source {
 public:
  // Opens the regular file at the absolute `path`, following symbolic links: the path was named by
  // somebody who may name any. NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (no regular file),
  // RESOURCE_EXHAUSTED (no descriptors).
  static Result<FileSource> Open(const std::string& path);

  // Opens the regular file `relative` of the folder `root` (absolute). INVALID_ARGUMENT unless
  // `relative` is plain (base/plain_path.h). A symbolic link that leads out of `root` is
  // PERMISSION_DENIED, whoever put it there and however late.
  static Result<FileSource> OpenBeneath(const std::string& root, const std::string& relative);

  FileSource(FileSource&& other) noexcept;

  const std::string& name() const override { return name_; }
  uint64_t size() const override { return size_; }
  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override;

 private:
  FileSource(std::string name, UniqueFd fd, uint64_t size);
  static Result<FileSource> FromFd(std::string name, UniqueFd fd);
  bool MayReadDirectly(uint64_t offset, std::span<std::byte> out) const;
  Result<size_t> ReadDirectly(uint64_t offset, std::span<std::byte> out) const;
  Status ReadBuffered(uint64_t offset, std::span<std::byte> out) const;
  Status Shorter(uint64_t found, uint64_t expected) const;

  std::string name_;
  UniqueFd fd_;
  UniqueFd direct_;  // O_DIRECT, if the file system takes that
  uint64_t size_ = 0;
  mutable std::atomic<bool> direct_works_{false};
};

}  // namespace trims

#endif  // TRIMS_SOURCE_FILE_SOURCE_H_
