#include "store/huge_pages.h"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "base/mapping.h"
#include "base/sys.h"

namespace trims {
namespace {

constexpr int kMadvPopulateWrite = 23;  // since Linux 5.14
constexpr int kMadvCollapse = 25;       // since Linux 6.1
constexpr int kCollapseAttempts = 3;
constexpr char kShmemSetting[] = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

// The word in brackets: "always [advise] never".
std::string ShmemSetting() {
  std::ifstream file(kShmemSetting);
  std::string line;
  std::getline(file, line);
  const size_t begin = line.find('[');
  const size_t end = line.find(']');
  return begin == std::string::npos || end == std::string::npos
             ? ""
             : line.substr(begin + 1, end - begin - 1);
}

bool ShmemSettingGivesHugePages() {
  const std::string setting = ShmemSetting();
  return setting == "always" || setting == "advise" || setting == "within_size" ||
         setting == "force";
}

uint64_t ReadNumber(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : 0;
}

// On an idle machine one call a region is nine times as fast as one over the whole range
// (kernel 6.18: 512 MB in 64 ms against 617 ms). But each call waits for a kernel thread on every
// processor, so on a busy machine it is the other way round (5.5 s against 0.3 s): a call that took
// this long was waiting.
constexpr auto kSlowCollapse = std::chrono::milliseconds(2);

bool CollapseRange(std::byte* begin, uint64_t size) {
  for (int attempt = 0; attempt < kCollapseAttempts; ++attempt) {
    if (sys::Madvise(begin, size, kMadvCollapse) == 0) return true;
    if (errno != EAGAIN && errno != EBUSY) return false;
  }
  return false;
}

// How many of the regions, from the first on, are huge now. A region must hold a page to be
// collapsed.
uint64_t Collapse(int fd, std::byte* start, uint64_t first, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) {
    const auto offset = static_cast<off_t>((first + i) * kHugePageSize);
    if (sys::Fallocate(fd, 0, offset, kPageSize) != 0) return 0;
  }
  uint64_t step = 1;
  for (uint64_t done = 0; done < count;) {
    const auto began = std::chrono::steady_clock::now();
    std::byte* const begin = start + (first + done) * kHugePageSize;
    if (!CollapseRange(begin, step * kHugePageSize)) return done;
    done += step;
    const bool slow = std::chrono::steady_clock::now() - began > kSlowCollapse;
    if (slow) step = count - done;
  }
  return count;
}

bool AdviseAndPopulate(std::byte* start, uint64_t first, uint64_t count) {
  std::byte* const begin = start + first * kHugePageSize;
  const uint64_t size = count * kHugePageSize;
  return sys::Madvise(begin, size, MADV_HUGEPAGE) == 0 &&
         sys::Madvise(begin, size, kMadvPopulateWrite) == 0;
}

bool TryOneRegion(HugeMethod method) {
  const UniqueFd fd = sys::MemfdCreate("trims-probe", MFD_CLOEXEC);
  if (!fd || sys::Ftruncate(fd.get(), kHugePageSize) != 0) return false;
  Result<Mapping> range = Mapping::Reserve(kHugePageSize, kHugePageSize);
  if (!range.ok()) return false;
  if (!range->MapInto(0, kHugePageSize, fd.get(), PROT_READ | PROT_WRITE).ok()) return false;
  if (BackWithHugePages(fd.get(), range->data(), 0, 1, method) == HugeMethod::kNone) return false;
  std::memset(range->data(), 1, kHugePageSize);
  return IsMappedHuge(range->data(), kHugePageSize);
}

HugePageSupport SmallPagesOnly() {
  HugePageSupport support;
  const std::string setting = ShmemSetting();
  if (setting.empty()) {
    support.reason =
        "this kernel has no transparent huge pages for shared memory: segments are on "
        "4 KiB pages";
  } else {
    support.reason = "the kernel refuses transparent huge pages (shmem_enabled is '" + setting +
                     "', MADV_COLLAPSE failed): segments are on 4 KiB pages";
  }
  support.mend = setting.empty() ? "sysctl vm.nr_hugepages=1024"
                                 : std::string("echo advise > ") + kShmemSetting;
  return support;
}

}  // namespace

HugeMethod BackWithHugePages(int fd, std::byte* start, uint64_t first, uint64_t count,
                             HugeMethod method) {
  if (method == HugeMethod::kCollapse) {
    const uint64_t done = Collapse(fd, start, first, count);
    if (done == count) return method;
    // The first region of all was refused: this kernel can't collapse. Its setting may still do.
    const bool other_way = first == 0 && done == 0 && ShmemSettingGivesHugePages();
    method = other_way ? HugeMethod::kAdvise : HugeMethod::kNone;
  }
  if (method == HugeMethod::kAdvise && !AdviseAndPopulate(start, first, count)) {
    method = HugeMethod::kNone;
  }
  return method;
}

bool IsMappedHuge(const std::byte* start, uint64_t bytes) {
  char prefix[32];
  std::snprintf(prefix, sizeof(prefix), "%lx-", reinterpret_cast<unsigned long>(start));
  std::ifstream file("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(file, line);) {
    found = found || line.starts_with(prefix);
    if (!found || !line.starts_with("ShmemPmdMapped:")) continue;
    const size_t digits = line.find_first_of("0123456789");
    uint64_t kilobytes = 0;
    if (digits == std::string::npos) return false;
    std::from_chars(line.data() + digits, line.data() + line.size(), kilobytes);
    return kilobytes * 1024 >= bytes;
  }
  return false;
}

uint64_t FreeHugeTlbBytes() {
  constexpr char kFree[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
  constexpr char kReserved[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages";
  const uint64_t free = ReadNumber(kFree);
  const uint64_t reserved = free > 0 ? ReadNumber(kReserved) : 0;
  return (free - std::min(free, reserved)) * kHugePageSize;
}

HugePageSupport ProbeHugePages() {
  if (const uint64_t pool = FreeHugeTlbBytes(); pool > 0) {
    return {Pages::kHugeTlb, "the hugetlb pool has " + std::to_string(pool >> 20) + " MiB free",
            ""};
  }
  if (TryOneRegion(HugeMethod::kCollapse)) {
    return {Pages::kTransparentHuge,
            "the kernel gives transparent huge pages to shared memory that asks for them", ""};
  }
  return SmallPagesOnly();
}

}  // namespace trims
