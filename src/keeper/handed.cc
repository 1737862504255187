#include "keeper/handed.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/seals.h"
#include "base/sys.h"
#include "keeper/lent_mark.h"

namespace trims {
namespace {

Status Refused(const std::string& what) {
  return Status(StatusCode::kFailedPrecondition, what,
                "nothing: it is loaded again when it is opened");
}

// The one that is this file, unchanged. It is taken out.
Result<UniqueFd> TakeFile(const KeptFile& file, std::vector<UniqueFd>* fds) {
  const auto found = std::ranges::find_if(*fds, [&file](const UniqueFd& fd) {
    const Result<KeptFile> one = KeptFileOf(fd.get(), file.length);
    return one.ok() && *one == file;
  });
  if (found == fds->end()) {
    return Refused("no descriptor is the memfd with inode " + std::to_string(file.inode) +
                   " as it was recorded");
  }
  UniqueFd taken = std::move(*found);
  fds->erase(found);
  return taken;
}

// Of the pool of huge pages. The block size doesn't tell: shared memory has the same where the kernel may give it huge pages.
Result<bool> IsHugeTlb(int fd) {
  struct statfs system;
  if (::fstatfs(fd, &system) != 0) return ErrnoStatus("looking at an extent's memory");
  return static_cast<uint64_t>(system.f_type) == HUGETLBFS_MAGIC;
}

// Of `length` bytes, on whatever pages.
Status CheckSize(uint64_t length, int fd, bool huge_tlb) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus("looking at an extent");
  const uint64_t expected = huge_tlb ? AlignUp(length, kHugePageSize) : length;
  if (static_cast<uint64_t>(info.st_size) == expected) return Status();
  return Refused("a memfd of " + std::to_string(info.st_size) + " bytes, expected " +
                 std::to_string(expected));
}

// Of shared memory, which the kernel may hold on either kind: one look at each region has it mapped as it lies.
Result<Pages> PagesLookedAt(int fd, uint64_t length) {
  const uint64_t whole = length / kHugePageSize * kHugePageSize;
  if (whole == 0) return Pages::kSmall;
  TRIMS_ASSIGN_OR_RETURN(const Mapping mapping,
                         Mapping::OfFileAligned(fd, length, kHugePageSize, PROT_READ));
  const volatile std::byte* const bytes = mapping.data();
  for (uint64_t offset = 0; offset < whole; offset += kHugePageSize) {
    static_cast<void>(bytes[offset]);
  }
  return IsMappedHuge(mapping.data(), whole) ? Pages::kTransparentHuge : Pages::kSmall;
}

Status CheckPagesWanted(Pages pages, HugePagePolicy policy) {
  const bool unwanted = (policy == HugePagePolicy::kSmall && pages != Pages::kSmall) ||
                        (policy == HugePagePolicy::kNoHugeTlb && pages == Pages::kHugeTlb);
  if (!unwanted) return Status();
  return Refused("it is on pages of kind " + std::string(PagesName(pages)) +
                 ", which --huge-pages excludes");
}

Result<Handle> CheckOne(const KeptFile& file, std::vector<UniqueFd>* fds, HugePagePolicy policy) {
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd handed, TakeFile(file, fds));
  TRIMS_RETURN_IF_ERROR(CheckSealed(handed.get()));
  TRIMS_ASSIGN_OR_RETURN(const bool huge_tlb, IsHugeTlb(handed.get()));
  TRIMS_RETURN_IF_ERROR(CheckSize(file.length, handed.get(), huge_tlb));
  Handle handle{.fd = sys::ReopenReadOnly(handed.get()), .length = file.length};
  if (!handle.fd) return ErrnoStatus("re-opening an extent");
  TRIMS_RETURN_IF_ERROR(MarkLent(handle.fd.get()));
  handle.pages = Pages::kHugeTlb;
  if (!huge_tlb) {
    TRIMS_ASSIGN_OR_RETURN(handle.pages, PagesLookedAt(handle.fd.get(), file.length));
  }
  TRIMS_RETURN_IF_ERROR(CheckPagesWanted(handle.pages, policy));
  return handle;
}

}  // namespace

Result<ResidentBytes> CheckHanded(const KeptRecord& record, std::vector<UniqueFd> fds,
                                  HugePagePolicy pages) {
  if (fds.size() != record.extents.size() + 1) {
    return Refused(std::to_string(fds.size()) + " descriptors, expected " +
                   std::to_string(record.extents.size() + 1));
  }
  ResidentBytes bytes;
  TRIMS_ASSIGN_OR_RETURN(bytes.index, CheckOne(record.index, &fds, HugePagePolicy::kBest));
  for (const KeptFile& extent : record.extents) {
    TRIMS_ASSIGN_OR_RETURN(Handle handle, CheckOne(extent, &fds, pages));
    bytes.extents.push_back(std::move(handle));
  }
  bytes.taken_over_load_time = record.load_time;
  bytes.taken_over_for = record.model;
  return bytes;
}

Status CheckIsOf(const Image& image, const ResidentBytes& bytes) {
  const auto same = [](const ManifestExtent& recorded, const Handle& handle) {
    return recorded.length == handle.length;
  };
  if (bytes.index.length == image.variant.index_length &&
      std::ranges::equal(image.variant.extents, bytes.extents, same)) {
    return Status();
  }
  return Refused("its index and extents are not as long as those of '" + image.reference + "'");
}

}  // namespace trims
