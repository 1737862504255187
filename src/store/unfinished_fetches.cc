#include "store/unfinished_fetches.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "base/sys.h"
#include "store/prepared_folders.h"

namespace trims::prepared {
namespace {

namespace fs = std::filesystem;

bool IsUnfinished(const fs::directory_entry& entry) {
  return entry.path().filename().string().starts_with(kUnfinishedPrefix);
}

// Of a published folder, all that is half written in it.
void RemoveUnfinished(const std::string& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    if (!IsUnfinished(*entries)) continue;
    const std::string path = entries->path().string();
    LogInfo("file.unfinished_removed", {{"file", path}});
    sys::Unlink(path.c_str());
  }
}

void RemoveFetch(const std::string& root, const std::string& name) {
  const std::string path = root + "/" + name;
  if (UnfinishedBytes(path) > 0) LogInfo("fetch.unfinished_removed", {{"folder", path}});
  IsDownloadName(name) ? (void)Remove(path) : RemoveUnfinished(path);
}

std::vector<UnfinishedFetch> FindAll(const std::string& root, const std::set<std::string>& named) {
  std::vector<UnfinishedFetch> found;
  std::error_code error;
  fs::directory_iterator entries(root, error);
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const bool download = IsDownloadName(name);
    if (!download && !named.contains(name)) continue;
    const std::string path = entries->path().string();
    const uint64_t bytes = UnfinishedBytes(path);
    std::error_code gone;
    const fs::file_time_type touched =
        fs::last_write_time(download ? path : path + "/" + std::string(kUnfinishedJournal), gone);
    gone || bytes == 0 ? RemoveFetch(root, name) : found.push_back({name, bytes, touched});
  }
  return found;
}

uint64_t FreeBytes(const std::string& root) {
  struct statvfs disk {};
  return ::statvfs(root.c_str(), &disk) == 0 ? uint64_t{disk.f_bavail} * disk.f_frsize : 0;
}

}  // namespace

uint64_t UnfinishedBytes(const std::string& path) {
  const bool download = IsDownloadName(fs::path(path).filename().string());
  std::error_code error;
  if (!download && !fs::exists(path + "/" + std::string(kUnfinishedJournal), error)) return 0;
  uint64_t bytes = 0;
  fs::recursive_directory_iterator entries(path, error);
  for (const fs::recursive_directory_iterator end; !error && entries != end;
       entries.increment(error)) {
    if (!entries->is_regular_file(error) || error) continue;
    if (download || IsUnfinished(*entries)) bytes += entries->file_size(error);
    if (error) break;
  }
  return error ? 0 : bytes;
}

std::vector<UnfinishedFetch> TooOldOrMany(std::vector<UnfinishedFetch> found, uint64_t most,
                                          fs::file_time_type now) {
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& one, const auto& other) { return one.touched > other.touched; });
  std::vector<UnfinishedFetch> gone;
  uint64_t kept = 0;
  for (UnfinishedFetch& fetch : found) {
    const bool old = fetch.touched < now - std::chrono::days(kDownloadDays);
    const bool fits = !old && fetch.bytes <= most - kept;
    if (fits) kept += fetch.bytes;
    if (!fits) gone.push_back(std::move(fetch));
  }
  return gone;
}

std::map<std::string, uint64_t> ClearUnfinished(const std::string& root,
                                                const std::set<std::string>& named) {
  const std::vector<UnfinishedFetch> found = FindAll(root, named);
  std::map<std::string, uint64_t> left;
  for (const UnfinishedFetch& fetch : found) left[fetch.folder] = fetch.bytes;
  for (const UnfinishedFetch& fetch :
       TooOldOrMany(found, FreeBytes(root), fs::file_time_type::clock::now())) {
    RemoveFetch(root, fetch.folder);
    left.erase(fetch.folder);
  }
  return left;
}

}  // namespace trims::prepared
