#include "base/mapping.h"

#include <atomic>
#include <cerrno>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims {
namespace {

// Linux from 6.7 on places anonymous ranges of whole huge pages on their boundaries by itself,
// which saves each attach a system call. Until a range comes otherwise.
std::atomic<bool> kernel_aligns{true};

}  // namespace

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
  if (kernel_aligns.load(std::memory_order_relaxed)) {
    TRIMS_ASSIGN_OR_RETURN(Mapping exact, ReserveAnywhere(range));
    if (reinterpret_cast<uintptr_t>(exact.data()) % alignment == 0) return exact;
    kernel_aligns.store(false, std::memory_order_relaxed);
  }
  TRIMS_ASSIGN_OR_RETURN(Mapping mapping, ReserveAnywhere(padded));
  mapping.Trim(alignment, range);
  return mapping;
}

Result<Mapping> Mapping::ReserveAnywhere(size_t size) {
  void* start =
      sys::Mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (start == MAP_FAILED)
    return ErrnoStatus("reserving " + std::to_string(size) + " bytes of address space");
  return Mapping(static_cast<std::byte*>(start), size);
}

void Mapping::Trim(size_t alignment, size_t size) {
  const auto base = reinterpret_cast<uintptr_t>(data_);
  const uintptr_t aligned = AlignUp(base, alignment);
  const uintptr_t end = aligned + size;
  if (aligned > base) ::munmap(data_, aligned - base);
  if (base + size_ > end) ::munmap(reinterpret_cast<void*>(end), base + size_ - end);
  data_ = reinterpret_cast<std::byte*>(aligned);
  size_ = size;
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
