#include "source/folder_listing.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/model_limits.h"
#include "base/plain_path.h"
#include "base/shown_name.h"
#include "source/hub_cache.h"

namespace trims {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFolderDepth = 64;
constexpr size_t kMaxFolders = 10'000;
constexpr char kOnlyModel[] = "add a folder that holds the model and nothing else";

struct Free {
  void operator()(char* text) const { ::free(text); }
};

Status Refuse(std::string what, std::string hint = {}) {
  return Status(StatusCode::kInvalidArgument, std::move(what), std::move(hint));
}

Status NotPlain(const std::string& name) {
  return Refuse(
      "the file name '" + ShownName(name) + "' is not UTF-8, too long or holds control characters",
      "rename the file");
}

// `path` is free of symbolic links.
Result<ListedFile> Describe(std::string name, std::string path) {
  if (!IsPlainPath(name)) return NotPlain(name);
  ListedFile file;
  TRIMS_ASSIGN_OR_RETURN(const struct stat seen, StatOf(path));
  if (!S_ISREG(seen.st_mode)) {
    return Refuse("'" + ShownName(name) + "': expected a regular file, came something else",
                  kOnlyModel);
  }
  file.length = static_cast<uint64_t>(seen.st_size);
  file.version = VersionOf(seen);
  file.name = std::move(name);
  file.path = std::move(path);
  return file;
}

// A link of a hub's cache is the hub's to mend.
Status LeadsToNothing(const std::string& name, const std::string& path) {
  const std::string download = DownloadOfSnapshot(path);
  return Refuse("the symbolic link '" + ShownName(name) + "' leads to nothing",
                download.empty() ? "restore what it meant, or remove the link"
                                 : "get what is missing: " + download);
}

Status LeadsOut(const std::string& name) {
  return Refuse("the symbolic link '" + ShownName(name) + "' leads out of the model's folder",
                "if you trust where it leads: trims add … --follow-links");
}

Result<std::string> TargetOf(const std::string& name, const std::string& path,
                             const LinkBounds& bounds) {
  Result<std::string> target = RealPath(path);
  if (!target.ok()) {
    const bool nothing = target.status().code() == StatusCode::kNotFound;
    return nothing ? LeadsToNothing(name, path) : target.status();
  }
  if (!bounds.Allow(*target) && *target != bounds.folder) return LeadsOut(name);
  return target;
}

class Lister {
 public:
  explicit Lister(const LinkBounds& bounds) : bounds_(bounds) {}

  // `folder` is free of links; `prefix` is its name, with a slash, or empty.
  Status List(const std::string& folder, const std::string& prefix) {
    if (open_.size() > kMaxFolderDepth)
      return Refuse("more than " + std::to_string(kMaxFolderDepth) + " folders within one another",
                    kOnlyModel);
    // Links may lead to one folder by many ways, so folders are counted as often as they are come to.
    if (++folders_ > kMaxFolders) {
      return Refuse("more than " + std::to_string(kMaxFolders) + " folders", kOnlyModel);
    }
    open_.push_back(folder);
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      TRIMS_RETURN_IF_ERROR(Add(*entry, prefix + entry->path().filename().string()));
    }
    open_.pop_back();
    return error ? ErrnoStatus("listing '" + folder + "'", error.value()) : Status();
  }

  std::vector<ListedFile> Take() && {
    std::sort(files_.begin(), files_.end(),
              [](const ListedFile& a, const ListedFile& b) { return a.name < b.name; });
    return std::move(files_);
  }

 private:
  Status Add(const fs::directory_entry& entry, std::string name) {
    std::error_code error;
    const fs::file_status status = entry.symlink_status(error);
    std::string path = entry.path().string();
    if (error) return ErrnoStatus("'" + path + "'", error.value());
    if (fs::is_symlink(status)) {
      TRIMS_ASSIGN_OR_RETURN(path, TargetOf(name, path, bounds_));
    }
    if (fs::is_directory(path, error)) return Folder(path, name);
    if (files_.size() == kMaxModelFiles) {
      return Refuse("more than " + std::to_string(kMaxModelFiles) + " files", kOnlyModel);
    }
    TRIMS_ASSIGN_OR_RETURN(ListedFile file, Describe(std::move(name), std::move(path)));
    files_.push_back(std::move(file));
    return Status();
  }

  // A link to a folder that is being listed would never end.
  Status Folder(const std::string& path, const std::string& name) {
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      return Refuse(
          "the symbolic link '" + ShownName(name) + "' leads back to a folder that holds it",
          "remove the link");
    }
    return List(path, name + "/");
  }

  const LinkBounds& bounds_;
  size_t folders_ = 0;
  std::vector<std::string> open_;  // the folders on the way to where it is
  std::vector<ListedFile> files_;
};

}  // namespace

Result<std::vector<ListedFile>> ListFolder(const std::string& root, const LinkBounds& bounds) {
  Lister lister(bounds);
  TRIMS_RETURN_IF_ERROR(lister.List(root, ""));
  return std::move(lister).Take();
}

Result<ListedFile> ListFile(const std::string& root, const std::string& name,
                            const LinkBounds& bounds) {
  if (!IsPlainPath(name)) {
    const bool below = name.find('/') != std::string::npos || name == "." || name == "..";
    return below ? Refuse("'" + ShownName(name) + "' is no plain path of a file") : NotPlain(name);
  }
  const std::string path = root + "/" + name;
  TRIMS_RETURN_IF_ERROR(StatOf(path).status());
  TRIMS_ASSIGN_OR_RETURN(std::string target, TargetOf(name, path, bounds));
  return Describe(name, std::move(target));
}

Result<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  if (real == nullptr) return ErrnoStatus("'" + path + "'");
  return std::string(real.get());
}

std::string VersionOf(const struct stat& seen) {
  std::string version;
  for (const auto part : {static_cast<int64_t>(seen.st_dev), static_cast<int64_t>(seen.st_ino),
                          static_cast<int64_t>(seen.st_size), int64_t{seen.st_mtim.tv_sec},
                          int64_t{seen.st_mtim.tv_nsec}, int64_t{seen.st_ctim.tv_sec},
                          int64_t{seen.st_ctim.tv_nsec}}) {
    version += (version.empty() ? "" : "-") + std::to_string(part);
  }
  return version;
}

Result<struct stat> StatOf(const std::string& path) {
  struct stat seen;
  if (::lstat(path.c_str(), &seen) != 0) return ErrnoStatus("'" + path + "'");
  return seen;
}

}  // namespace trims
