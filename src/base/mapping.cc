#include "base/mapping.h"

#include <cerrno>

#include "base/errno_status.h"
#include "base/sys.h"

namespace trims {

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    Unmap();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Mapping::Unmap() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Result<Mapping> Mapping::OfFile(int fd, size_t size, int protection) {
  void* start = sys::Mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  if (start == MAP_FAILED) return ErrnoStatus("mmap of " + std::to_string(size) + " bytes");
  return Mapping(static_cast<std::byte*>(start), size);
}

Result<Mapping> Mapping::Reserve(size_t size, size_t alignment) {
  const size_t range = AlignUp(size, alignment);
  const size_t padded = range + alignment;
  if (range < size || padded < range)
    return Status(StatusCode::kTooLarge, "the range does not fit into the address space");
  void* start =
      sys::Mmap(nullptr, padded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED)
    return ErrnoStatus("reserving " + std::to_string(size) + " bytes of address space");
  const auto base = reinterpret_cast<uintptr_t>(start);
  const uintptr_t aligned = AlignUp(base, alignment);
  const uintptr_t end = aligned + range;
  if (aligned > base) ::munmap(start, aligned - base);
  if (base + padded > end) ::munmap(reinterpret_cast<void*>(end), base + padded - end);
  return Mapping(reinterpret_cast<std::byte*>(aligned), range);
}

Status Mapping::MapInto(size_t offset, size_t size, int fd, int protection) {
  if (offset > size_ || size > size_ - offset || offset % kPageSize != 0) {
    return Status(StatusCode::kInvalidArgument, "an extent of " + std::to_string(size) +
                                                    " bytes at offset " + std::to_string(offset) +
                                                    " does not fit into a range of " +
                                                    std::to_string(size_));
  }
  void* start = sys::Mmap(data_ + offset, size, protection, MAP_SHARED | MAP_FIXED, fd, 0);
  if (start == MAP_FAILED)
    return ErrnoStatus("mapping an extent of " + std::to_string(size) + " bytes");
  return Status();
}

}  // namespace trims
