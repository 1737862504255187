// Host memory for segments: memfds backed by huge pages where the kernel gives them, sealed once
// they are filled.
//
// Create and attach are different types: an ExtentWriter is filled by its loader and then becomes a
// SealedExtent, which nobody can write any more, the MRM included. Sealing walks the pages: never do
// it on the event loop, but for a document (SealedCopy). So does freeing: the last owner of a large
// SealedExtent should let go of it on a worker thread.
//
//   TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer,
//                          ExtentWriter::Create("ocr", bytes, HugePagePolicy::kBest));
//   Fill(writer.data());
//   TRIMS_ASSIGN_OR_RETURN(SealedExtent extent, std::move(writer).Seal());
//
// Thread-safety: an ExtentWriter belongs to one thread at a time, but for what Allocate() says; a
// SealedExtent is immutable.
#ifndef TRIMS_STORE_HOST_MEMORY_H_
#define TRIMS_STORE_HOST_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "trims/model.h"
#include "trims/status.h"

#include "base/mapping.h"
#include "base/unique_fd.h"
#include "store/huge_pages.h"

namespace trims {

// kBest: hugetlb pool if it has room, else transparent huge pages (asked for with MADV_COLLAPSE,
// which works even where shmem_enabled is "never"), else 4 KiB. kSmall: 4 KiB, for comparison and
// for tiny extents.
enum class HugePagePolicy { kBest, kNoHugeTlb, kSmall };

class SealedExtent {
 public:
  SealedExtent(SealedExtent&&) noexcept = default;
  SealedExtent& operator=(SealedExtent&&) noexcept = default;

  int read_only_fd() const { return fd_.get(); }  // what clients are sent; borrowed
  UniqueFd TakeFd() && { return std::move(fd_); }
  uint64_t length() const { return length_; }
  Pages pages() const { return pages_; }

 private:
  friend class ExtentWriter;
  friend Result<SealedExtent> SealedCopy(std::string_view name, std::span<const std::byte> bytes);
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

  // As Create, but nothing is allocated yet: only what Allocate() covered may be touched. For a
  // loader that fills the beginning while the rest is being allocated.
  static Result<ExtentWriter> Reserve(std::string_view name, uint64_t length,
                                      HugePagePolicy policy);
  // Allocates, zeroed, at least the first `end` (<= length()) bytes. Other threads may meanwhile
  // fill what was allocated before. RESOURCE_EXHAUSTED: no memory.
  Status Allocate(uint64_t end);

  // Another open file of the same memory, which can only be read: what is mapped of it may stay mapped when
  // the extent is sealed.
  Result<UniqueFd> OpenToRead() const;

  std::byte* data() const { return mapping_.data(); }  // 2 MiB aligned
  uint64_t length() const { return length_; }
  // What backs the extent's whole 2 MiB regions; its last, shorter part is on 4 KiB pages unless
  // this is kHugeTlb. Final once everything is allocated.
  Pages pages() const;

  // Allocates what is not yet, unmaps, takes all write permissions off the inode, applies
  // F_SEAL_WRITE | GROW | SHRINK | SEAL and re-opens read-only.
  Result<SealedExtent> Seal() &&;

 private:
  ExtentWriter(UniqueFd fd, Mapping mapping, uint64_t length, HugeMethod method)
      : fd_(std::move(fd)), mapping_(std::move(mapping)), length_(length), method_(method) {}
  static Result<ExtentWriter> Make(UniqueFd fd, uint64_t length, HugeMethod method);

  UniqueFd fd_;
  Mapping mapping_;
  uint64_t length_ = 0;
  uint64_t allocated_ = 0;
  HugeMethod method_ = HugeMethod::kNone;
};

// A small sealed memfd that holds a copy of `bytes` (> 0; an index, a JSON document), on 4 KiB
// pages.
Result<SealedExtent> SealedCopy(std::string_view name, std::span<const std::byte> bytes);

}  // namespace trims

#endif  // TRIMS_STORE_HOST_MEMORY_H_
