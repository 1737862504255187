// Mapping: the move-only owner of one range of address space.
//
// A Mapping is either a view of a file or a bare reservation into which extents are mapped one
// after the other, so that a segment of many extents is one contiguous range. Unmapped when it
// goes. Thread-safety: like a pointer.
//
//   TRIMS_ASSIGN_OR_RETURN(Mapping range, Mapping::Reserve(2 * kHugePageSize, kHugePageSize));
//   TRIMS_RETURN_IF_ERROR(range.MapInto(0, kHugePageSize, fd, PROT_READ));
#ifndef TRIMS_BASE_MAPPING_H_
#define TRIMS_BASE_MAPPING_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "trims/status.h"

namespace trims {

inline constexpr size_t kPageSize = 4096;
inline constexpr size_t kHugePageSize = size_t{2} << 20;

// `value` rounded up to a multiple of `alignment` (a power of two). The caller makes sure that it
// does not overflow.
constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}

class Mapping {
 public:
  Mapping() = default;
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping() { Unmap(); }

  // Maps `size` (> 0) bytes of `fd` from its start, MAP_SHARED. `protection` is PROT_READ or
  // PROT_READ | PROT_WRITE.
  static Result<Mapping> OfFile(int fd, size_t size, int protection);

  // As OfFile, start and size() rounded up to `alignment` (which must not overflow). What lies beyond
  // the file's last page can't be read. One system call where the last such mapping of this process
  // has been unmapped, since its place is tried first; else that of a reservation and MapInto.
  static Result<Mapping> OfFileAligned(int fd, size_t size, size_t alignment, int protection);

  // Reserves `size` (> 0) bytes of address space, start and size() rounded up to `alignment`, with
  // nothing behind them yet. With kHugePageSize a hugetlb extent can be mapped at its end: the
  // kernel rounds the length of such a mapping up.
  static Result<Mapping> Reserve(size_t size, size_t alignment);

  // Maps `size` bytes of `fd`, from `from` on, at `offset` (multiples of the page size) of this
  // reservation, MAP_SHARED.
  Status MapInto(size_t offset, size_t size, int fd, int protection, uint64_t from = 0);

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  Mapping(std::byte* data, size_t size) : data_(data), size_(size) {}
  static Result<Mapping> ReserveAnywhere(size_t size);
  // Empty if something else is there.
  static Mapping OfFileAt(std::byte* place, int fd, size_t size, int protection);
  // Gives back all but `size` bytes from the first multiple of `alignment` on.
  void Trim(size_t alignment, size_t size);
  void Unmap();

  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace trims

#endif  // TRIMS_BASE_MAPPING_H_
