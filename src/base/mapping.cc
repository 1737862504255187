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

// Where the last range that was asked for with an alignment lay: free again once that is closed.
std::atomic<std::byte*> last_place{nullptr};

bool IsMultiple(const void* address, size_t alignment) {
  return reinterpret_cast<uintptr_t>(address) % alignment == 0;
}

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

Mapping Mapping::OfFileAt(std::byte* place, int fd, size_t size, int protection) {
  // Kernels before 4.17 don't know the flag and take the place for a wish.
  void* start = sys::Mmap(place, size, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
  if (start == MAP_FAILED) return Mapping();
  Mapping mapping(static_cast<std::byte*>(start), size);
  return start == place ? std::move(mapping) : Mapping();
}

Result<Mapping> Mapping::OfFileAligned(int fd, size_t size, size_t alignment, int protection) {
  std::byte* const place = last_place.load(std::memory_order_relaxed);
  if (place != nullptr && IsMultiple(place, alignment)) {
    if (Mapping mapping = OfFileAt(place, fd, AlignUp(size, alignment), protection)) return mapping;
  }
  TRIMS_ASSIGN_OR_RETURN(Mapping range, Reserve(size, alignment));
  TRIMS_RETURN_IF_ERROR(range.MapInto(0, range.size(), fd, protection));
  last_place.store(range.data(), std::memory_order_relaxed);
  return range;
}

Result<Mapping> Mapping::Reserve(size_t size, size_t alignment) {
  const size_t range = AlignUp(size, alignment);
  const size_t padded = range + alignment;
  if (range < size || padded < range)
    return Status(StatusCode::kTooLarge, "the range does not fit into the address space");
  if (kernel_aligns.load(std::memory_order_relaxed)) {
    TRIMS_ASSIGN_OR_RETURN(Mapping exact, ReserveAnywhere(range));
    if (IsMultiple(exact.data(), alignment)) return exact;
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

Status Mapping::MapInto(size_t offset, size_t size, int fd, int protection, uint64_t from) {
  if (offset > size_ || size > size_ - offset || offset % kPageSize != 0) {
    return Status(StatusCode::kInvalidArgument, "an extent of " + std::to_string(size) +
                                                    " bytes at offset " + std::to_string(offset) +
                                                    " does not fit into a range of " +
                                                    std::to_string(size_));
  }
  void* start = sys::Mmap(data_ + offset, size, protection, MAP_SHARED | MAP_FIXED, fd,
                          static_cast<off_t>(from));
  if (start == MAP_FAILED)
    return ErrnoStatus("mapping an extent of " + std::to_string(size) + " bytes");
  return Status();
}

}  // namespace trims
