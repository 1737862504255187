#include "store/folders.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIncomingPrefix = ".incoming-";
constexpr size_t kStemDigits = 16;
constexpr int kMaxTries = 10000;

Status SyncPath(const std::string& path, int flags) {
  const UniqueFd fd = sys::Open(path.c_str(), flags | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (!fd) return ErrnoStatus("can't open " + path);
  if (::fsync(fd.get()) != 0) return ErrnoStatus("can't sync " + path);
  return {};
}

Status SyncTree(const std::string& folder) {
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entries != end;
       entries.increment(error)) {
    const fs::file_status status = entries->symlink_status(error);
    if (error) break;
    if (fs::is_regular_file(status)) {
      TRIMS_RETURN_IF_ERROR(SyncPath(entries->path().string(), 0));
    } else if (fs::is_directory(status)) {
      TRIMS_RETURN_IF_ERROR(SyncPath(entries->path().string(), O_DIRECTORY));
    }
  }
  if (error) return ErrnoStatus("can't read folder " + folder, error.value());
  return SyncPath(folder, O_DIRECTORY);
}

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsPublishedName(std::string_view name) {
  if (name.size() < kStemDigits + 2 || name[kStemDigits] != '-') return false;
  const std::string_view stem = name.substr(0, kStemDigits);
  const std::string_view number = name.substr(kStemDigits + 1);
  return std::all_of(stem.begin(), stem.end(), IsHexDigit) &&
         std::all_of(number.begin(), number.end(), IsDigit);
}

}  // namespace

Result<std::string> CanonicalPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&::free)> resolved(::realpath(path.c_str(), nullptr),
                                                          &::free);
  if (!resolved) return ErrnoStatus("source " + path);
  return std::string(resolved.get());
}

Result<std::string> MakeIncomingFolder(const std::string& root) {
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus("can't make the folder of prepared models " + root);
  }
  std::string path = root + "/" + std::string(kIncomingPrefix) + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return ErrnoStatus("can't make a folder in " + root);
  return path;
}

Result<std::string> PublishFolder(const std::string& folder, const std::string& into,
                                  const std::string& stem) {
  TRIMS_RETURN_IF_ERROR(SyncTree(folder));
  for (int n = 0; n < kMaxTries; ++n) {
    const std::string name = into + "/" + stem + "-" + std::to_string(n);
    if (::renameat2(AT_FDCWD, folder.c_str(), AT_FDCWD, name.c_str(), RENAME_NOREPLACE) == 0) {
      Status synced = SyncPath(into, O_DIRECTORY);
      if (synced.ok()) return name;
      RemoveFolder(name).ok();  // nobody will know its name
      return synced;
    }
    if (errno != EEXIST) return ErrnoStatus("can't rename " + folder + " to " + name);
  }
  return Status(StatusCode::kResourceExhausted, "no free name " + into + "/" + stem + "-<n>");
}

Status RemoveFolder(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) return {};
  Status status = ErrnoStatus("can't remove " + folder, error.value());
  LogWarning("folder.remove_failed", {{"folder", folder}, {"error", status}});
  return status;
}

Result<size_t> CountPublished(const std::string& root) {
  std::error_code error;
  size_t count = 0;
  fs::directory_iterator entries(root, error);
  if (error == std::errc::no_such_file_or_directory) return size_t{0};
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    if (IsPublishedName(entries->path().filename().string())) ++count;
  }
  if (error) return ErrnoStatus("can't read folder " + root, error.value());
  return count;
}

void RemoveOrphans(const std::string& root, const std::set<std::string>& keep) {
  std::error_code error;
  std::vector<std::string> orphans;
  fs::directory_iterator entries(root, error);
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (!name.starts_with(kIncomingPrefix) && !IsPublishedName(name)) continue;
    if (!keep.contains(name)) orphans.push_back(root + "/" + name);
  }
  for (const std::string& orphan : orphans) {
    LogInfo("folder.orphan_removed", {{"folder", orphan}});
    RemoveFolder(orphan).ok();
  }
}

}  // namespace trims
