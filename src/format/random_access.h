// RandomAccess: the bytes of a model file, read a range at a time, since files may be larger than
// memory is worth.
//
// Files are read by pread, never mapped: one that is truncated meanwhile is DATA_LOSS and not a
// SIGBUS. Thread-safety: const members may be called from any number of threads at once.
#ifndef TRIMS_FORMAT_RANDOM_ACCESS_H_
#define TRIMS_FORMAT_RANDOM_ACCESS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trims/status.h"

#include "base/unique_fd.h"

namespace trims {

class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  virtual uint64_t size() const = 0;
  // Fills all of `out` from `offset` on. DATA_LOSS: the file ends before that.
  virtual Status Read(uint64_t offset, std::span<std::byte> out) const = 0;
};

// Bytes in memory; borrowed.
class SpanBytes final : public RandomAccess {
 public:
  explicit SpanBytes(std::span<const std::byte> bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  Status Read(uint64_t offset, std::span<std::byte> out) const override;

 private:
  std::span<const std::byte> bytes_;
};

// An open file; the descriptor is borrowed. `size` is what it was when the file was opened; `name`
// is for messages.
class FileBytes final : public RandomAccess {
 public:
  FileBytes(int fd, uint64_t size, std::string name)
      : fd_(fd), size_(size), name_(std::move(name)) {}
  uint64_t size() const override { return size_; }
  Status Read(uint64_t offset, std::span<std::byte> out) const override;

 private:
  int fd_;
  uint64_t size_;
  std::string name_;
};

// [offset, offset + length) of `file`, in steps, to `use`. DATA_LOSS as Read().
template <typename Use>
Status ForEachChunk(const RandomAccess& file, uint64_t offset, uint64_t length,
                    std::span<std::byte> buffer, const Use& use) {
  while (length > 0) {
    const std::span<std::byte> chunk =
        length < buffer.size() ? buffer.first(static_cast<size_t>(length)) : buffer;
    if (Status status = file.Read(offset, chunk); !status.ok()) return status;
    if (Status status = use(std::span<const std::byte>(chunk)); !status.ok()) return status;
    offset += chunk.size();
    length -= chunk.size();
  }
  return Status();
}

}  // namespace trims

#endif  // TRIMS_FORMAT_RANDOM_ACCESS_H_
