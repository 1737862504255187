#include "common/memory.h"

#include <sys/mman.h>

#include "base/errno_status.h"
#include "base/macros.h"

namespace trims::bench {

Result<Mapping> TouchedMemory(uint64_t bytes) {
  TRIMS_ASSIGN_OR_RETURN(Mapping memory, Mapping::Reserve(bytes, kHugePageSize));
  if (mprotect(memory.data(), memory.size(), PROT_READ | PROT_WRITE) != 0) {
    return ErrnoStatus("mprotect");
  }
  madvise(memory.data(), memory.size(), MADV_HUGEPAGE);
  for (size_t at = 0; at < memory.size(); at += kPageSize) memory.data()[at] = std::byte{1};
  return memory;
}

Status WarmMemory(uint64_t bytes) { return TouchedMemory(bytes).status(); }

}  // namespace trims::bench
