// Huge pages of 2 MiB under a memfd: which ways this kernel has, and the use of them.
//
// Filling and mapping a segment on huge pages costs a tenth of what it costs on 4 KiB pages, so
// three ways are tried in turn: the hugetlb pool, MADV_COLLAPSE (which needs neither a pool nor a
// setting: only shmem_enabled "deny" refuses it), MADV_HUGEPAGE where shmem_enabled allows that.
//
//   HugeMethod method = BackWithHugePages(fd, start, 0, regions, HugeMethod::kCollapse);
//   if (method == HugeMethod::kNone) …    // some of the regions are on 4 KiB pages
//
// Thread-safety: safe, for distinct files.
#ifndef TRIMS_STORE_HUGE_PAGES_H_
#define TRIMS_STORE_HUGE_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "trims/model.h"

namespace trims {

// How a memfd gets its huge pages. kHugeTlb: it is made of them; kNone: it doesn't.
enum class HugeMethod { kNone, kHugeTlb, kCollapse, kAdvise };

// Backs the `count` whole 2 MiB regions from region `first` on of the memfd `fd`, which is mapped
// for writing from `start` (2 MiB aligned) on. What the regions hold is kept. Returns the method
// for the next ones: kNone once the kernel refused one, which then is on 4 KiB pages or not
// allocated at all.
HugeMethod BackWithHugePages(int fd, std::byte* start, uint64_t first, uint64_t count,
                             HugeMethod method);

// Whether /proc/self/smaps says that `bytes` of the mapping that starts at `start` are mapped by
// huge pages of shared memory. Slow: for where the kernel doesn't say so otherwise.
bool IsMappedHuge(const std::byte* start, uint64_t bytes);

// Free bytes of the 2 MiB hugetlb pool; 0 where there is none.
uint64_t FreeHugeTlbBytes();

// What an extent gets on this machine, found out by making one, and how to get better.
struct HugePageSupport {
  Pages pages = Pages::kSmall;
  std::string reason;  // a sentence
  std::string mend;    // a command, empty where there is nothing to mend
};
HugePageSupport ProbeHugePages();

}  // namespace trims

#endif  // TRIMS_STORE_HUGE_PAGES_H_
