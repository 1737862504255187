// MachineMemory: how much memory this process could use, and could use now, as the kernel says.
//
// Both numbers heed the memory controllers (cgroup version 1 and 2) of the process's own group and
// of all the groups above it that can be seen.
//
//   const MachineMemory memory = ReadMachineMemory();
//   if (memory.available < bytes) return NoRoom();
//
// Thread-safety: safe; every call reads anew.
#ifndef TRIMS_STORE_MACHINE_MEMORY_H_
#define TRIMS_STORE_MACHINE_MEMORY_H_

#include <cstdint>
#include <string>

#include "trims/status.h"

namespace trims {

struct MachineMemory {
  uint64_t total = 0;      // the lowest of the machine's memory and every limit
  uint64_t available = 0;  // without swapping; the page cache counts as available
};

// `root` stands before /proc and /sys, so that a test can bring its own. What can't be read counts
// as no limit; a machine without /proc/meminfo has 0 and 0.
MachineMemory ReadMachineMemory(const std::string& root = "");

// For fewer, reading the dozen files that CheckAvailable() asks costs more than finding out.
inline constexpr uint64_t kWorthAskingBytes = uint64_t{64} << 20;

// For who is about to populate `bytes` more: RESOURCE_EXHAUSTED with both numbers where they are
// not available now, since the kernel would end some process before it refused them. `what` needs
// them.
Status CheckAvailable(uint64_t bytes, const std::string& what);

}  // namespace trims

#endif  // TRIMS_STORE_MACHINE_MEMORY_H_
