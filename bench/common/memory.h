// Fresh huge pages for the measuring programs.
#ifndef TRIMS_BENCH_COMMON_MEMORY_H_
#define TRIMS_BENCH_COMMON_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "trims/status.h"

#include "base/mapping.h"

namespace trims::bench {

// `bytes` of private memory of this process, on huge pages where it gets them, each touched.
Result<Mapping> TouchedMemory(uint64_t bytes);

// Touches that much and gives it back. A hypervisor takes memory away that nobody uses, and the next to
// touch it waits for it, twenty times as long as for memory that is there: what is measured next
// should find it there.
Status WarmMemory(uint64_t bytes);

}  // namespace trims::bench

#endif  // TRIMS_BENCH_COMMON_MEMORY_H_
