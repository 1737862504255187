// Host memory for segments: memfds backed by huge pages where the kernel gives them, sealed once
// they are filled.
//
// Create and attach are different types: an ExtentWriter is filled by one loader thread and then
// becomes a SealedExtent, which nobody can write any more, the MRM included. Sealing walks the
// pages: never do it on the event loop. So does freeing: the last owner of a large SealedExtent
// should let go of it on a worker thread.
//
//   TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer, ExtentWriter::Create("ocr", bytes,
//   HugePagePolicy::kBest)); Fill(writer.data()); TRIMS_ASSIGN_OR_RETURN(SealedExtent extent,
//   std::move(writer).Seal());
//
// Thread-safety: an ExtentWriter belongs to one thread at a time; a SealedExtent is immutable.
#ifndef TRIMS_STORE_HOST_MEMORY_H_
#define TRIMS_STORE_HOST_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "trims/model.h"
#include "trims/status.h"

#include "base/mapping.h"
#include "base/unique_fd.h"

namespace trims {

// kBest: hugetlb pool if it has room, else transparent huge pages (asked for with MADV_COLLAPSE,
// which works even where shmem_enabled is "never"), else 4 KiB. kSmall: 4 KiB, for comparison and
// for tiny extents.
enum class HugePagePolicy { kBest, kNoHugeTlb, kSmall };

// What an extent of `length` bytes costs the tier's budget at most: whole pages (whole huge pages
// with hugetlb).
uint64_t ExtentFootprint(uint64_t length);

class SealedExtent {
 public:
  SealedExtent(SealedExtent&&) noexcept = default;
  SealedExtent& operator=(SealedExtent&&) noexcept = default;

  int read_only_fd() const { return fd_.get(); }  // what clients are sent; borrowed
  uint64_t length() const { return length_; }
  Pages pages() const { return pages_; }

 private:
  friend class ExtentWriter;
  SealedExtent(UniqueFd fd, uint64_t length, Pages pages)
      : fd_(std::move(fd)), length_(length), pages_(pages) {}
  UniqueFd fd_;
  uint64_t length_ = 0;
  Pages pages_ = Pages::kSmall;
};

class ExtentWriter {
 public:
  // Allocates all `length` (> 0) bytes at once, so that filling can't meet SIGBUS.
  // RESOURCE_EXHAUSTED: no memory or descriptors. `name` shows in /proc/PID/maps.
  static Result<ExtentWriter> Create(std::string_view name, uint64_t length, HugePagePolicy policy);

  std::byte* data() const { return mapping_.data(); }  // 2 MiB aligned
  uint64_t length() const { return length_; }
  Pages pages() const { return pages_; }

  // Unmaps, applies F_SEAL_WRITE | GROW | SHRINK | SEAL and re-opens read-only.
  Result<SealedExtent> Seal() &&;

 private:
  ExtentWriter(UniqueFd fd, Mapping mapping, uint64_t length, Pages pages)
      : fd_(std::move(fd)), mapping_(std::move(mapping)), length_(length), pages_(pages) {}
  UniqueFd fd_;
  Mapping mapping_;
  uint64_t length_ = 0;
  Pages pages_ = Pages::kSmall;
};

// A small sealed memfd that holds a copy of `bytes` (an index, a JSON document), on 4 KiB pages.
Result<SealedExtent> SealedCopy(std::string_view name, std::span<const std::byte> bytes);

}  // namespace trims

#endif  // TRIMS_STORE_HOST_MEMORY_H_
