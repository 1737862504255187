// FileBytes: one regular file, read by byte ranges, past the page cache where that is faster.
//
// Bytes that lie in the page cache are copied from there; others are read with O_DIRECT straight
// into the destination if offset and address are multiples of 4 KiB, so that a cold load neither
// copies nor fills the cache. Where O_DIRECT is refused (tmpfs, some network file systems), reads
// are buffered. Nothing is mapped: a file that is cut short meanwhile is DATA_LOSS and no SIGBUS.
//
//   TRIMS_ASSIGN_OR_RETURN(FileBytes file, FileBytes::OpenBeneath("/models", "net/weights.bin"));
//   TRIMS_RETURN_IF_ERROR(file.ReadAt(0, {writer.data(), length}));
//
// Holding one costs a descriptor, and another one from the first direct read on. The file may change
// meanwhile: who reads checks a digest. Thread-safety: reading from any thread.
#ifndef TRIMS_SOURCE_FILE_BYTES_H_
#define TRIMS_SOURCE_FILE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "trims/status.h"

#include "base/random_access.h"
#include "base/unique_fd.h"

namespace trims {

class FileBytes final : public RandomAccess {
 public:
  // Opens the regular file at the absolute `path`, following symbolic links: the path was named by
  // somebody who may name any. NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION (no regular file),
  // RESOURCE_EXHAUSTED (no descriptors).
  static Result<FileBytes> Open(const std::string& path);

  // Opens the regular file `relative` of the folder `root` (absolute). INVALID_ARGUMENT unless
  // `relative` is plain (base/plain_path.h). A symbolic link that leads out of `root` is
  // PERMISSION_DENIED, whoever put it there and however late.
  static Result<FileBytes> OpenBeneath(const std::string& root, const std::string& relative);

  // The file that `fd` has open, if that is a regular one. `name` is for messages.
  static Result<FileBytes> FromFd(std::string name, UniqueFd fd);

  FileBytes(FileBytes&&) noexcept;
  FileBytes& operator=(FileBytes&&) noexcept;
  ~FileBytes() override;

  const std::string& name() const override { return name_; }
  uint64_t size() const override { return size_; }
  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override;
  // O_DIRECT for whole pages that aren't cached, where the file system takes that.
  Descriptor DescriptorFor(uint64_t offset, std::span<const std::byte> out) const override;

 private:
  struct Direct;

  FileBytes(std::string name, UniqueFd fd, uint64_t size);
  bool MayReadDirectly(uint64_t offset, std::span<const std::byte> out) const;
  Result<size_t> ReadDirectly(uint64_t offset, std::span<std::byte> out) const;
  Status ReadBuffered(uint64_t offset, std::span<std::byte> out) const;
  Status Shorter(uint64_t found, uint64_t expected) const;

  std::string name_;
  UniqueFd fd_;
  uint64_t size_ = 0;
  std::unique_ptr<Direct> direct_;  // only of a file that is worth it
};

}  // namespace trims

#endif  // TRIMS_SOURCE_FILE_BYTES_H_
