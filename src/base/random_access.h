// RandomAccess: bytes by offset, of a file or of anything else that can give them, read a range at a
// time, since models may be larger than memory is worth.
//
//   const std::string text = "0123";
//   const SpanBytes bytes(std::as_bytes(std::span(text)), "digits");
//   std::array<std::byte, 2> middle;
//   TRIMS_RETURN_IF_ERROR(bytes.ReadAt(1, middle));
//
// Files are source/file_bytes.h. Thread-safety: const members from any number of threads at once.
#ifndef TRIMS_BASE_RANDOM_ACCESS_H_
#define TRIMS_BASE_RANDOM_ACCESS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "trims/status.h"

namespace trims {

class RandomAccess {
 public:
  virtual ~RandomAccess() = default;
  virtual const std::string& name() const = 0;  // for messages
  virtual uint64_t size() const = 0;            // when it was opened
  // Fills all of `out`, which is not empty, from `offset` on. DATA_LOSS: it ends before, or can't be
  // read there; what `out` then holds is undefined.
  virtual Status ReadAt(uint64_t offset, std::span<std::byte> out) const = 0;

  // How the kernel can be asked to read that: all of `out` from `offset` on, by the descriptor, which is
  // borrowed. What it doesn't read so, or not whole, ReadAt() reads, or says why not.
  struct Descriptor {
    int fd = -1;          // none: only ReadAt() reads these bytes
    bool direct = false;  // past the page cache
  };
  virtual Descriptor DescriptorFor(uint64_t /*offset*/, std::span<const std::byte> /*out*/) const {
    return {};
  }
};

// Bytes in memory; borrowed.
class SpanBytes final : public RandomAccess {
 public:
  explicit SpanBytes(std::span<const std::byte> bytes, std::string name = "the file")
      : bytes_(bytes), name_(std::move(name)) {}
  const std::string& name() const override { return name_; }
  uint64_t size() const override { return bytes_.size(); }
  Status ReadAt(uint64_t offset, std::span<std::byte> out) const override;

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
};

// [offset, offset + length) of `file`, in steps of at most `buffer`, which is not empty, to `use`;
// stops at the first error.
template <typename Use>
Status ForEachChunk(const RandomAccess& file, uint64_t offset, uint64_t length,
                    std::span<std::byte> buffer, const Use& use) {
  while (length > 0) {
    const std::span<std::byte> chunk =
        length < buffer.size() ? buffer.first(static_cast<size_t>(length)) : buffer;
    if (Status status = file.ReadAt(offset, chunk); !status.ok()) return status;
    if (Status status = use(std::span<const std::byte>(chunk)); !status.ok()) return status;
    offset += chunk.size();
    length -= chunk.size();
  }
  return Status();
}

}  // namespace trims

#endif  // TRIMS_BASE_RANDOM_ACCESS_H_
