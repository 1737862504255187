#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "store/memory_pressure.h"
#include "tools/trims/doctor_gather.h"
#include "tools/trims/small_file.h"

namespace trims::cli {
namespace {

constexpr const char* kPool = "/sys/kernel/mm/hugepages/hugepages-2048kB/";
// Version 1 says "no limit" with a number near 2^63.
constexpr uint64_t kNoLimit = uint64_t{1} << 60;

struct CgroupPlace {
  int version = 0;
  std::string path;  // "/user.slice/…"
};

// From /proc/self/cgroup: "12:memory:/path" (version 1) goes before "0::/path" (version 2).
CgroupPlace MemoryCgroup() {
  CgroupPlace place;
  std::istringstream lines(SmallFile("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    if (controllers.find(",memory,") != std::string::npos) return {1, line.substr(second + 1)};
    if (controllers == ",,") place = {2, line.substr(second + 1)};
  }
  return place;
}

std::optional<uint64_t> LowestLimit(const CgroupPlace& place) {
  const std::string mount = place.version == 1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
  const std::string file = place.version == 1 ? "memory.limit_in_bytes" : "memory.max";
  std::optional<uint64_t> lowest;
  std::filesystem::path folder = place.path;
  while (true) {
    const auto limit = NumberInFile(fmt::format("{}{}/{}", mount, folder.string(), file));
    if (limit && *limit < kNoLimit) lowest = std::min(*limit, lowest.value_or(*limit));
    if (!folder.has_relative_path()) return lowest;
    folder = folder.parent_path();
  }
}

std::optional<uint64_t> SoftLimit(decltype(RLIMIT_NOFILE) resource, uint64_t* hard) {
  rlimit limit = {};
  if (getrlimit(resource, &limit) != 0) return std::nullopt;
  if (hard != nullptr) *hard = limit.rlim_max;
  if (limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

}  // namespace

HugePageFacts GatherHugePages() {
  HugePageFacts pages;
  pages.pool_pages = NumberInFile(std::string(kPool) + "nr_hugepages").value_or(0);
  pages.pool_free = NumberInFile(std::string(kPool) + "free_hugepages").value_or(0);
  pages.shmem_enabled = ChosenWord(SmallFile("/sys/kernel/mm/transparent_hugepage/shmem_enabled"));
  pages.support = ProbeHugePages();
  return pages;
}

MemoryFacts GatherMemory() {
  MemoryFacts memory;
  const std::string info = SmallFile("/proc/meminfo");
  memory.total = NumberAfter(info, "MemTotal").value_or(0) * 1024;
  memory.available = NumberAfter(info, "MemAvailable").value_or(0) * 1024;
  const CgroupPlace place = MemoryCgroup();
  memory.cgroup_version = place.version;
  if (place.version != 0) memory.cgroup_limit = LowestLimit(place);
  const Result<std::string> pressure = FindPressureFile();
  memory.pressure = pressure.ok() ? CheckPressureFile(*pressure) : pressure.status();
  if (pressure.ok()) memory.pressure_file = *pressure;
  memory.memlock = SoftLimit(RLIMIT_MEMLOCK, nullptr);
  memory.open_files = SoftLimit(RLIMIT_NOFILE, &memory.open_files_hard).value_or(RLIM_INFINITY);
  memory.max_map_count = NumberInFile("/proc/sys/vm/max_map_count").value_or(0);
  return memory;
}

}  // namespace trims::cli
