#include <fmt/format.h>

#include <algorithm>

#include "tools/trims/doctor_checks.h"
#include "tools/trims/humanise.h"

namespace trims::cli {
namespace {

constexpr uint64_t kHugePage = uint64_t{2} << 20;
constexpr uint64_t kLittleMemory = uint64_t{1} << 30;
constexpr uint64_t kFewFiles = 1024;
constexpr uint64_t kFewMappings = 65530;  // the kernel's default
constexpr const char* kAskForHugePages =
    "echo advise | sudo tee /sys/kernel/mm/transparent_hugepage/shmem_enabled";

Check HugePages(const HugePageFacts& pages) {
  Check check{.id = "huge-pages"};
  if (pages.support.pages == Pages::kSmall) {
    check.level = CheckLevel::kWarning;
    check.found =
        "none, so loads take about 8 times as long and first runs twice: " + pages.support.reason;
    check.mend = pages.support.mend.empty() ? kAskForHugePages : pages.support.mend;
  } else {
    check.found = "2 MiB: " + pages.support.reason;
    check.mend = pages.support.mend;
  }
  return check;
}

// Not wrong by itself, whatever it says: MADV_COLLAPSE works under "never" too. The probe above is
// what counts.
Check ShmemEnabled(const HugePageFacts& pages) {
  Check check{.id = "shmem-huge-pages", .found = "shmem_enabled is '" + pages.shmem_enabled + "'"};
  if (pages.shmem_enabled.empty()) {
    check.found = "this kernel has no transparent huge pages for shared memory";
  } else if (pages.shmem_enabled == "never" && pages.support.pages == Pages::kTransparentHuge) {
    check.found += ": trimsd asks for huge pages one by one, which works too";
  } else if (pages.shmem_enabled == "deny" && pages.support.pages == Pages::kSmall) {
    check.level = CheckLevel::kWarning;
    check.mend = kAskForHugePages;
  }
  return check;
}

Check HugeTlbPool(const HugePageFacts& pages) {
  if (pages.pool_pages == 0) {
    return {.id = "hugetlb-pool",
            .found = "none: not needed where transparent huge pages are to be had"};
  }
  Check check{.id = "hugetlb-pool",
              .found = fmt::format("{} of {} free", HumanBytes(pages.pool_free * kHugePage),
                                   HumanBytes(pages.pool_pages * kHugePage))};
  if (pages.pool_free == 0 && pages.support.pages == Pages::kSmall) {
    check.level = CheckLevel::kWarning;
    check.mend = fmt::format("sudo sysctl vm.nr_hugepages={}", pages.pool_pages * 2);
  }
  return check;
}

Check Memory(const MemoryFacts& memory) {
  Check check{.id = "memory",
              .found = fmt::format("{} ({} available)", HumanBytes(memory.total),
                                   HumanBytes(memory.available))};
  if (memory.available < kLittleMemory) {
    check.level = CheckLevel::kWarning;
    check.found += ": little room for models";
    check.mend = "free some, or give trimsd a budget that fits: trimsd --host-budget 256MiB";
  }
  return check;
}

Check Cgroup(const MemoryFacts& memory) {
  Check check{.id = "cgroup-memory"};
  if (memory.cgroup_version == 0) {
    check.found = "no memory cgroup";
    return check;
  }
  if (!memory.cgroup_limit) {
    check.found = fmt::format("no limit (cgroup v{})", memory.cgroup_version);
    return check;
  }
  check.found = fmt::format(
      "limit {} (cgroup v{}): it is trimsd's memory that models count against, if trimsd runs in "
      "it",
      HumanBytes(*memory.cgroup_limit), memory.cgroup_version);
  if (*memory.cgroup_limit < kLittleMemory) {
    check.level = CheckLevel::kWarning;
    check.mend =
        "run trimsd outside this cgroup, or raise its limit; functions need no room for models "
        "they share";
  }
  return check;
}

// Nothing is wrong without: trimsd lets nothing go under pressure unless it is told to.
Check Pressure(const MemoryFacts& memory) {
  if (memory.pressure.ok()) {
    return {.id = "memory-pressure",
            .found = memory.pressure_file + ": trimsd --pressure auto may use it"};
  }
  return {.id = "memory-pressure",
          .found = "not to be had, so that trimsd --pressure auto lets nothing go: " +
                   memory.pressure.message(),
          .mend = memory.pressure.hint()};
}

Check OpenFiles(const MemoryFacts& memory) {
  Check check{.id = "open-files",
              .found = fmt::format("{} at most (hard limit {})", memory.open_files,
                                   memory.open_files_hard)};
  if (memory.open_files < kFewFiles) {
    check.level = CheckLevel::kWarning;
    check.found += ": each resident extent and each client takes one";
    check.mend = fmt::format(
        "ulimit -n {}",
        std::max<uint64_t>(kFewFiles, std::min<uint64_t>(memory.open_files_hard, 65536)));
  }
  return check;
}

Check LockedMemory(const MemoryFacts& memory) {
  return {.id = "locked-memory",
          .found = (memory.memlock ? HumanBytes(*memory.memlock) + " at most"
                                   : std::string("no limit")) +
                   "; not needed: segments are not locked"};
}

Check MapCount(const MemoryFacts& memory) {
  Check check{.id = "max-map-count",
              .found = fmt::format("{} mappings a process", memory.max_map_count)};
  if (memory.max_map_count < kFewMappings) {
    check.level = CheckLevel::kWarning;
    check.mend = fmt::format("sudo sysctl vm.max_map_count={}", kFewMappings);
  }
  return check;
}

Check DevShm() {
  return {.id = "dev-shm",
          .found = "not needed: segments are memfds, so a container's --shm-size does not matter"};
}

}  // namespace

std::vector<Check> CheckHugePages(const HugePageFacts& pages) {
  return {HugePages(pages), ShmemEnabled(pages), HugeTlbPool(pages)};
}

std::vector<Check> CheckMemory(const MemoryFacts& memory) {
  return {Memory(memory),       Cgroup(memory),   Pressure(memory), OpenFiles(memory),
          LockedMemory(memory), MapCount(memory), DevShm()};
}

}  // namespace trims::cli
