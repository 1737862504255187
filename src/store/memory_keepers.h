// FindMemoryKeepers: which processes still have memory that the daemon has let go of.
//
// It looks through /proc, at what each process maps and has open, and so sees what this process may look at: those of
// its own user, or all with CAP_SYS_PTRACE. What is in no process (a descriptor on its way through a socket) is nobody's.
//
//   for (const MemoryKeeper& keeper : FindMemoryKeepers(memory)) Use(keeper.pid);
//
// Reads some files of each process: milliseconds to tenths of a second, on a thread that may take them.
// Thread-safety: safe.
#ifndef TRIMS_STORE_MEMORY_KEEPERS_H_
#define TRIMS_STORE_MEMORY_KEEPERS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "store/memory_watch.h"

namespace trims {

struct MemoryKeeper {
  int64_t pid = 0;
  uint64_t uid = 0;
  std::string program;  // as the kernel knows it: any bytes
  bool maps = false;    // else it has a descriptor only
};

// By pid, without this process. At most kMostKeepers.
inline constexpr size_t kMostKeepers = 64;
std::vector<MemoryKeeper> FindMemoryKeepers(std::span<const MemoryId> memory);

// Whether there is a process of that number, the one that had it before or another. One system call.
bool IsAlive(int64_t pid);

}  // namespace trims

#endif  // TRIMS_STORE_MEMORY_KEEPERS_H_
