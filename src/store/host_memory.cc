#include "store/host_memory.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/model_limits.h"
#include "base/seals.h"
#include "base/sys.h"
#include "base/write_all.h"
#include "store/machine_memory.h"

namespace trims {
namespace {

// memfd_create's flags since 4.14 and 6.3; older headers lack the second.
constexpr unsigned kHugeTlbFlags = MFD_HUGETLB | (21u << 26);  // MFD_HUGE_2MB
constexpr unsigned kNoExecSeal = 0x0008;

constexpr size_t kMaxNameBytes = 200;  // memfd_create takes 249
constexpr char kMemoryHint[] = "lower the host budget, or free memory";

std::string PrintableName(std::string_view name) {
  std::string printable(name.substr(0, kMaxNameBytes));
  std::replace_if(
      printable.begin(), printable.end(), [](unsigned char c) { return c <= ' ' || c >= 0x7f; },
      '_');
  return printable;
}

// Not executable where the kernel knows that; hardened ones (vm.memfd_noexec=2) insist on it.
UniqueFd MakeMemfd(std::string_view name, unsigned flags) {
  const std::string printable = PrintableName(name);
  flags |= MFD_CLOEXEC | MFD_ALLOW_SEALING;
  UniqueFd fd = sys::MemfdCreate(printable.c_str(), flags | kNoExecSeal);
  if (!fd && errno == EINVAL) fd = sys::MemfdCreate(printable.c_str(), flags);
  return fd;
}

Status AllocationFailed(std::string_view what, uint64_t length) {
  const Status status =
      ErrnoStatus(std::string(what) + " for an extent of " + std::to_string(length) + " bytes");
  if (status.code() != StatusCode::kResourceExhausted) return status;
  return Status(status.code(), status.message(), kMemoryHint);
}

Result<UniqueFd> MakeSizedMemfd(std::string_view name, uint64_t length, unsigned flags) {
  UniqueFd fd = MakeMemfd(name, flags);
  if (!fd) return AllocationFailed("memfd_create", length);
  if (sys::Ftruncate(fd.get(), static_cast<off_t>(length)) != 0) {
    return AllocationFailed("ftruncate", length);
  }
  return fd;
}

// For a large step, and now and then on the way of those who allocate in small ones.
bool IsWorthAsking(uint64_t begin, uint64_t end) {
  constexpr uint64_t kNowAndThen = uint64_t{256} << 20;
  return end - begin >= kWorthAskingBytes || begin / kNowAndThen != end / kNowAndThen;
}

Status CheckLength(uint64_t length) {
  if (length == 0) return Status(StatusCode::kInvalidArgument, "an extent can't be empty");
  if (length > kMaxModelBytes) {
    return Status(StatusCode::kTooLarge, "an extent of " + std::to_string(length) +
                                             " bytes is beyond the limit of " +
                                             std::to_string(kMaxModelBytes));
  }
  return Status();
}

Result<UniqueFd> ReadOnlyAgain(const UniqueFd& fd) {
  UniqueFd read_only = sys::ReopenReadOnly(fd.get());
  if (!read_only) return ErrnoStatus("re-opening an extent read-only");
  return read_only;
}

// Pages that the disk has just filled may be pinned a moment longer, on a busy machine longer than the kernel waits for that
// itself (some 100 ms a call): then it says EBUSY.
constexpr int kSealAttempts = 20;

bool Seal(int fd) {
  for (int attempt = 0; attempt < kSealAttempts; ++attempt) {
    if (sys::AddSeals(fd, kAllSeals) == 0) return true;
    if (errno != EBUSY) return false;
  }
  return false;
}

// A second open file, read-only, of an inode that nobody can write any more. The permissions are
// taken away too, so that a client without privileges can't even open it for writing.
Result<UniqueFd> SealAndReopen(const UniqueFd& fd) {
  if (::fchmod(fd.get(), 0444) != 0) return ErrnoStatus("fchmod of an extent");
  if (!Seal(fd.get())) return ErrnoStatus("sealing an extent");
  return ReadOnlyAgain(fd);
}

}  // namespace

Result<ExtentWriter> ExtentWriter::Create(std::string_view name, uint64_t length,
                                          HugePagePolicy policy) {
  TRIMS_ASSIGN_OR_RETURN(ExtentWriter writer, Reserve(name, length, policy));
  TRIMS_RETURN_IF_ERROR(writer.Allocate(length));
  return writer;
}

Result<ExtentWriter> ExtentWriter::Reserve(std::string_view name, uint64_t length,
                                           HugePagePolicy policy) {
  TRIMS_RETURN_IF_ERROR(CheckLength(length));
  const bool large = length >= kHugePageSize && policy != HugePagePolicy::kSmall;
  if (large && policy == HugePagePolicy::kBest) {
    const uint64_t rounded = AlignUp(length, kHugePageSize);
    if (rounded <= FreeHugeTlbBytes()) {
      Result<UniqueFd> fd = MakeSizedMemfd(name, rounded, kHugeTlbFlags);
      // All of the pool's pages at once: what another program took meanwhile is found out here,
      // where there still is another way.
      if (fd.ok() && sys::Fallocate(fd->get(), 0, 0, static_cast<off_t>(rounded)) == 0) {
        return Make(*std::move(fd), length, HugeMethod::kHugeTlb);
      }
    }
  }
  if (IsWorthAsking(0, length)) TRIMS_RETURN_IF_ERROR(CheckAvailable(length, "an extent"));
  TRIMS_ASSIGN_OR_RETURN(UniqueFd fd, MakeSizedMemfd(name, length, 0));
  return Make(std::move(fd), length, large ? HugeMethod::kCollapse : HugeMethod::kNone);
}

Result<ExtentWriter> ExtentWriter::Make(UniqueFd fd, uint64_t length, HugeMethod method) {
  TRIMS_ASSIGN_OR_RETURN(Mapping range, Mapping::Reserve(length, kHugePageSize));
  TRIMS_RETURN_IF_ERROR(range.MapInto(0, length, fd.get(), PROT_READ | PROT_WRITE));
  ExtentWriter writer(std::move(fd), std::move(range), length, method);
  if (method == HugeMethod::kHugeTlb) writer.allocated_ = length;
  return writer;
}

Status ExtentWriter::Allocate(uint64_t end) {
  end = std::min(end, length_);
  if (end <= allocated_) return Status();
  // Whole regions, but for the last: a step must not leave a region half allocated.
  end = std::min(AlignUp(end, kHugePageSize), length_);
  if (IsWorthAsking(allocated_, end)) {
    TRIMS_RETURN_IF_ERROR(CheckAvailable(end - allocated_, "the next part of an extent"));
  }
  const uint64_t first = allocated_ / kHugePageSize;
  const uint64_t regions = end / kHugePageSize - first;
  if (regions > 0 && method_ != HugeMethod::kNone) {
    method_ = BackWithHugePages(fd_.get(), data(), first, regions, method_);
  }
  const auto offset = static_cast<off_t>(allocated_);
  if (sys::Fallocate(fd_.get(), 0, offset, static_cast<off_t>(end - allocated_)) != 0) {
    return AllocationFailed("fallocate", length_);
  }
  allocated_ = end;
  return Status();
}

Result<UniqueFd> ExtentWriter::OpenToRead() const { return ReadOnlyAgain(fd_); }

Pages ExtentWriter::pages() const {
  if (method_ == HugeMethod::kHugeTlb) return Pages::kHugeTlb;
  if (method_ == HugeMethod::kCollapse) return Pages::kTransparentHuge;
  if (method_ == HugeMethod::kNone) return Pages::kSmall;
  // Asked for and populated; whether the kernel gave them only smaps knows.
  const bool huge = IsMappedHuge(data(), length_ / kHugePageSize * kHugePageSize);
  return huge ? Pages::kTransparentHuge : Pages::kSmall;
}

Result<SealedExtent> ExtentWriter::Seal() && {
  TRIMS_RETURN_IF_ERROR(Allocate(length_));
  const Pages got = pages();
  mapping_ = Mapping();  // a writable mapping forbids the seal
  const UniqueFd fd = std::move(fd_);
  TRIMS_ASSIGN_OR_RETURN(UniqueFd read_only, SealAndReopen(fd));
  return SealedExtent(std::move(read_only), length_, got);
}

Result<SealedExtent> SealedCopy(std::string_view name, std::span<const std::byte> bytes) {
  TRIMS_RETURN_IF_ERROR(CheckLength(bytes.size()));
  TRIMS_ASSIGN_OR_RETURN(const UniqueFd fd, MakeSizedMemfd(name, bytes.size(), 0));
  if (!WriteAll(fd.get(), bytes)) return ErrnoStatus("writing to a memfd");
  TRIMS_ASSIGN_OR_RETURN(UniqueFd read_only, SealAndReopen(fd));
  return SealedExtent(std::move(read_only), bytes.size(), Pages::kSmall);
}

}  // namespace trims
