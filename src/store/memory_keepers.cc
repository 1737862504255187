#include "store/memory_keepers.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

namespace trims {
namespace {

namespace fs = std::filesystem;

// Of one process: more would make a search as long as its most generous victim likes.
constexpr size_t kMostDescriptors = 16384;

bool IsOneOf(const MemoryId& id, std::span<const MemoryId> memory) {
  return std::find(memory.begin(), memory.end(), id) != memory.end();
}

// "7f… r--s 00000000 00:01 1234   /memfd:…": the fourth and the fifth field.
std::optional<MemoryId> MappedIn(const std::string& line) {
  if (line.find("/memfd:") == std::string::npos && line.find("/anon_hugepage") == std::string::npos)
    return std::nullopt;
  std::istringstream fields(line);
  std::string range, permissions, offset, device;
  MemoryId id;
  if (!(fields >> range >> permissions >> offset >> device >> id.inode)) return std::nullopt;
  unsigned major = 0;
  unsigned minor = 0;
  const size_t colon = device.find(':');
  if (colon == std::string::npos) return std::nullopt;
  std::from_chars(device.data(), device.data() + colon, major, 16);
  std::from_chars(device.data() + colon + 1, device.data() + device.size(), minor, 16);
  id.device = makedev(major, minor);
  return id;
}

bool Maps(const fs::path& process, std::span<const MemoryId> memory) {
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);) {
    const std::optional<MemoryId> mapped = MappedIn(line);
    if (mapped && IsOneOf(*mapped, memory)) return true;
  }
  return false;
}

bool HasOpen(const fs::path& process, std::span<const MemoryId> memory) {
  std::error_code error;
  size_t seen = 0;
  for (fs::directory_iterator at(process / "fd", error), end; !error && at != end;
       at.increment(error)) {
    struct stat file {};
    if (++seen > kMostDescriptors) return false;
    if (::stat(at->path().c_str(), &file) != 0) continue;
    if (IsOneOf({.device = file.st_dev, .inode = file.st_ino}, memory)) return true;
  }
  return false;
}

std::optional<int64_t> PidOf(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int64_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

MemoryKeeper Named(const fs::path& process, int64_t pid, bool maps) {
  MemoryKeeper keeper{.pid = pid, .maps = maps};
  struct stat owner {};
  if (::stat(process.c_str(), &owner) == 0) keeper.uid = owner.st_uid;
  std::ifstream comm(process / "comm");
  std::getline(comm, keeper.program);
  return keeper;
}

}  // namespace

std::vector<MemoryKeeper> FindMemoryKeepers(std::span<const MemoryId> memory) {
  std::vector<MemoryKeeper> keepers;
  std::error_code error;
  for (fs::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::optional<int64_t> pid = PidOf(at->path());
    if (!pid || *pid == ::getpid() || keepers.size() >= kMostKeepers) continue;
    const bool maps = Maps(at->path(), memory);
    if (maps || HasOpen(at->path(), memory)) keepers.push_back(Named(at->path(), *pid, maps));
  }
  std::sort(keepers.begin(), keepers.end(),
            [](const MemoryKeeper& a, const MemoryKeeper& b) { return a.pid < b.pid; });
  return keepers;
}

bool IsAlive(int64_t pid) {
  return pid > 0 && (::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH);
}

}  // namespace trims
