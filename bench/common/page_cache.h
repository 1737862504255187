// DropFromPageCache: makes the next reader of a file wait for the disk.
#ifndef TRIMS_BENCH_COMMON_PAGE_CACHE_H_
#define TRIMS_BENCH_COMMON_PAGE_CACHE_H_

#include <string>

#include "trims/status.h"

namespace trims::bench {

// Checked with mincore(2): FAILED_PRECONDITION if pages stay, as those do that somebody has mapped.
Status DropFromPageCache(const std::string& path);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_COMMON_PAGE_CACHE_H_
