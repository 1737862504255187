#include "source/file_tree.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/model_limits.h"
#include "base/plain_path.h"
#include "base/sys.h"
#include "source/file_bytes.h"

namespace trims {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxFolderDepth = 64;

struct Free {
  void operator()(char* text) const { ::free(text); }
};

Status Refuse(const std::string& what) { return Status(StatusCode::kInvalidArgument, what); }

Result<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  if (real == nullptr) return ErrnoStatus("'" + path + "'");
  return std::string(real.get());
}

Result<struct stat> StatOf(const std::string& path) {
  struct stat seen;
  if (::lstat(path.c_str(), &seen) != 0) return ErrnoStatus("'" + path + "'");
  return seen;
}

// Differs once a file was changed or replaced.
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

Status Changed(const ListedFile& file) {
  return Status(StatusCode::kFailedPrecondition,
                "'" + file.name + "' changed or vanished while it was read",
                "add the model again once nothing writes to it");
}

// `path` is free of symbolic links.
Result<ListedFile> Describe(std::string name, std::string path) {
  if (!IsPlainPath(name)) {
    return Refuse("the file name '" + name +
                  "' is not UTF-8, too long or holds control characters");
  }
  ListedFile file;
  TRIMS_ASSIGN_OR_RETURN(const struct stat seen, StatOf(path));
  if (!S_ISREG(seen.st_mode)) {
    return Refuse("'" + name + "': expected a regular file, came something else");
  }
  file.length = static_cast<uint64_t>(seen.st_size);
  file.version = VersionOf(seen);
  file.name = std::move(name);
  file.path = std::move(path);
  return file;
}

Result<ListedFile> DescribeLink(const std::string& root, std::string name,
                                const std::string& path) {
  Result<std::string> target = RealPath(path);
  if (!target.ok() || !target->starts_with(root + "/")) {
    return Refuse("the symbolic link '" + name + "' leads out of the model's folder or to nothing");
  }
  return Describe(std::move(name), *std::move(target));
}

Status AddEntry(const std::string& root, const fs::directory_entry& entry,
                std::vector<ListedFile>* files) {
  std::error_code error;
  const fs::file_status status = entry.symlink_status(error);
  if (error) return ErrnoStatus("'" + entry.path().string() + "'", error.value());
  if (fs::is_directory(status)) return Status();
  if (files->size() == kMaxModelFiles)
    return Refuse("more than " + std::to_string(kMaxModelFiles) + " files");
  const std::string path = entry.path().string();
  std::string name = path.substr(root.size() + 1);
  TRIMS_ASSIGN_OR_RETURN(ListedFile file, fs::is_symlink(status)
                                              ? DescribeLink(root, std::move(name), path)
                                              : Describe(std::move(name), path));
  files->push_back(std::move(file));
  return Status();
}

Result<std::vector<ListedFile>> ListFolder(const std::string& root) {
  std::vector<ListedFile> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(root, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() > kMaxFolderDepth) return Refuse("folders nested too deep in '" + root + "'");
    TRIMS_RETURN_IF_ERROR(AddEntry(root, *entry, &files));
  }
  if (error) return ErrnoStatus("listing '" + root + "'", error.value());
  std::sort(files.begin(), files.end(),
            [](const ListedFile& a, const ListedFile& b) { return a.name < b.name; });
  return files;
}

Result<FileBytes> OpenAsSeen(const ListedFile& file) {
  UniqueFd fd = sys::Open(file.path.c_str(), O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  // ENXIO: it became a socket.
  if (!fd && (errno == ENOENT || errno == ENXIO)) return Changed(file);
  if (!fd) return ErrnoStatus("opening '" + file.name + "'");
  struct stat now;
  if (::fstat(fd.get(), &now) != 0) return ErrnoStatus("'" + file.name + "'");
  if (VersionOf(now) != file.version) return Changed(file);
  return FileBytes::FromFd(file.name, std::move(fd));
}

Result<std::unique_ptr<RandomAccess>> Owned(Result<FileBytes> file) {
  if (!file.ok()) return file.status();
  return std::unique_ptr<RandomAccess>(std::make_unique<FileBytes>(*std::move(file)));
}

Result<std::unique_ptr<RandomAccess>> NoSuchFile(const std::string& root, const std::string& name) {
  return Status(StatusCode::kNotFound, "there is no file '" + name + "' in '" + root + "'");
}

}  // namespace

FileTree::FileTree(std::string path, bool is_folder)
    : root_(std::move(path)), name_(fs::path(root_).filename().string()), is_folder_(is_folder) {}

Result<FileTree> FileTree::At(const std::string& path) {
  struct stat found;
  if (::stat(path.c_str(), &found) != 0) return ErrnoStatus("'" + path + "'");
  if (S_ISDIR(found.st_mode) || S_ISREG(found.st_mode)) {
    return FileTree(path, S_ISDIR(found.st_mode));
  }
  return Refuse("'" + path + "': expected a regular file or a folder, came something else");
}

Result<std::vector<ListedFile>> FileTree::ListFiles() const {
  if (is_folder_) return ListFolder(root_);
  TRIMS_ASSIGN_OR_RETURN(ListedFile file, Describe(name_, root_));
  std::vector<ListedFile> files;
  files.push_back(std::move(file));
  return files;
}

Result<std::vector<SourceEntry>> FileTree::List() {
  TRIMS_ASSIGN_OR_RETURN(root_, RealPath(root_));
  TRIMS_ASSIGN_OR_RETURN(files_, ListFiles());
  std::vector<SourceEntry> entries;
  uint64_t bytes = 0;
  for (const ListedFile& file : files_) {
    bytes += file.length;
    entries.push_back(file);
  }
  if (bytes > 0) return entries;
  return Refuse("'" + root_ +
                "' holds no bytes: expected a model file, or a folder with at least one");
}

const ListedFile* FileTree::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      files_.begin(), files_.end(), name,
      [](const ListedFile& file, std::string_view wanted) { return file.name < wanted; });
  return found != files_.end() && found->name == name ? &*found : nullptr;
}

Result<std::unique_ptr<RandomAccess>> FileTree::Open(const std::string& name) const {
  if (!files_.empty()) {
    const ListedFile* file = Find(name);
    return file == nullptr ? NoSuchFile(root_, name) : Owned(OpenAsSeen(*file));
  }
  if (is_folder_) return Owned(FileBytes::OpenBeneath(root_, name));
  return name == name_ ? Owned(FileBytes::Open(root_)) : NoSuchFile(root_, name);
}

Status FileTree::CheckUnchanged() const {
  for (const ListedFile& file : files_) {
    Result<struct stat> now = StatOf(file.path);
    if (!now.ok() || VersionOf(*now) != file.version) return Changed(file);
  }
  return Status();
}

}  // namespace trims
