#include "store/machine_memory.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

namespace trims {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

// What the two versions of the memory controller call the same things.
struct ControllerNames {
  std::string_view mount;
  std::string_view limit;
  std::string_view usage;
  std::string_view cache;  // in memory.stat: what the kernel gives back first
};
constexpr ControllerNames kVersion1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                       "memory.usage_in_bytes", "total_inactive_file"};
constexpr ControllerNames kVersion2 = {"/sys/fs/cgroup", "memory.max", "memory.current",
                                       "inactive_file"};

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// The number after `key` and its blanks, on a line of its own.
std::optional<uint64_t> Field(const std::string& text, std::string_view key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const size_t digits = line.find_first_not_of(" \t", key.size());
    if (digits == key.size() || digits == std::string::npos) continue;
    return ParseNumber(std::string_view(line).substr(digits));
  }
  return std::nullopt;
}

void ApplyGroup(const std::string& folder, const ControllerNames& names, MachineMemory* memory) {
  const std::string prefix = folder + "/";
  // "max" of version 2 is no number and so no limit.
  const auto limit = ParseNumber(ReadText(prefix + std::string(names.limit)));
  if (!limit) return;
  memory->total = std::min(memory->total, *limit);
  const auto usage = ParseNumber(ReadText(prefix + std::string(names.usage)));
  if (!usage) return;
  const auto cache = Field(ReadText(prefix + "memory.stat"), names.cache).value_or(0);
  const uint64_t held = *usage - std::min(*usage, cache);
  memory->available = std::min(memory->available, *limit - std::min(*limit, held));
}

// A container may see its own group as the mount's root, whatever /proc/self/cgroup calls it; the
// walk ends there and folders that don't exist say nothing.
void ApplyGroupAndAncestors(const std::string& root, std::string path, const ControllerNames& names,
                            MachineMemory* memory) {
  const std::string mount = root + std::string(names.mount);
  while (!path.empty() && path != "/") {
    ApplyGroup(mount + path, names, memory);
    path.resize(path.find_last_of('/'));
  }
  ApplyGroup(mount, names, memory);
}

bool HoldsMemory(const std::string& controllers) {
  return ("," + controllers + ",").find(",memory,") != std::string::npos;
}

// Lines of /proc/self/cgroup are "id:controllers:/path"; version 2 names no controllers.
void ApplyGroups(const std::string& root, MachineMemory* memory) {
  std::istringstream lines(ReadText(root + "/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line.compare(second + 1, 1, "/") != 0) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) ApplyGroupAndAncestors(root, path, kVersion2, memory);
    if (HoldsMemory(controllers)) ApplyGroupAndAncestors(root, path, kVersion1, memory);
  }
}

uint64_t Kilobytes(const std::string& text, std::string_view key) {
  const uint64_t value = Field(text, key).value_or(0);
  return value > kNoLimit / 1024 ? kNoLimit : value * 1024;
}

}  // namespace

MachineMemory ReadMachineMemory(const std::string& root) {
  const std::string text = ReadText(root + "/proc/meminfo");
  MachineMemory memory = {Kilobytes(text, "MemTotal:"), Kilobytes(text, "MemAvailable:")};
  ApplyGroups(root, &memory);
  return memory;
}

Status CheckAvailable(uint64_t bytes, const std::string& what) {
  const MachineMemory memory = ReadMachineMemory();
  const uint64_t available = memory.available;
  if (memory.total == 0 || bytes <= available) return Status();  // a total of 0: not known
  return Status(StatusCode::kResourceExhausted,
                what + " of " + std::to_string(bytes) + " bytes does not fit into the " +
                    std::to_string(available) + " bytes of memory that are available",
                "lower the host budget, or free memory");
}

}  // namespace trims
