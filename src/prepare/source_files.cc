#include "prepare/source_files.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/model_limits.h"
#include "base/sys.h"
#include "format/relative_path.h"

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

bool SameState(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec &&
         a.st_ctim.tv_sec == b.st_ctim.tv_sec && a.st_ctim.tv_nsec == b.st_ctim.tv_nsec;
}

Status Changed(const SourceFile& file) {
  return Status(StatusCode::kFailedPrecondition,
                "'" + file.name + "' changed or vanished while it was read",
                "add the model again once nothing writes to it");
}

// `path` is free of symbolic links.
Result<SourceFile> Describe(std::string name, std::string path) {
  if (!IsPlainRelativePath(name)) {
    return Refuse("the file name '" + name +
                  "' is not UTF-8, too long or holds control characters");
  }
  SourceFile file;
  TRIMS_ASSIGN_OR_RETURN(file.seen, StatOf(path));
  if (!S_ISREG(file.seen.st_mode)) {
    return Refuse("'" + name + "': expected a regular file, came something else");
  }
  file.length = static_cast<uint64_t>(file.seen.st_size);
  file.name = std::move(name);
  file.path = std::move(path);
  return file;
}

Result<SourceFile> DescribeLink(const std::string& root, std::string name,
                                const std::string& path) {
  Result<std::string> target = RealPath(path);
  if (!target.ok() || !target->starts_with(root + "/")) {
    return Refuse("the symbolic link '" + name + "' leads out of the model's folder or to nothing");
  }
  return Describe(std::move(name), *std::move(target));
}

Status AddEntry(const std::string& root, const fs::directory_entry& entry,
                std::vector<SourceFile>* files) {
  std::error_code error;
  const fs::file_status status = entry.symlink_status(error);
  if (error) return ErrnoStatus("'" + entry.path().string() + "'", error.value());
  if (fs::is_directory(status)) return Status();
  if (files->size() == kMaxModelFiles)
    return Refuse("more than " + std::to_string(kMaxModelFiles) + " files");
  const std::string path = entry.path().string();
  std::string name = path.substr(root.size() + 1);
  TRIMS_ASSIGN_OR_RETURN(SourceFile file, fs::is_symlink(status)
                                              ? DescribeLink(root, std::move(name), path)
                                              : Describe(std::move(name), path));
  files->push_back(std::move(file));
  return Status();
}

Result<std::vector<SourceFile>> ListFolder(const std::string& root) {
  std::vector<SourceFile> files;
  std::error_code error;
  fs::recursive_directory_iterator entry(root, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (entry.depth() > kMaxFolderDepth) return Refuse("folders nested too deep in '" + root + "'");
    TRIMS_RETURN_IF_ERROR(AddEntry(root, *entry, &files));
  }
  if (error) return ErrnoStatus("listing '" + root + "'", error.value());
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace

Result<SourceFiles> SourceFiles::List(const std::string& path) {
  SourceFiles source;
  TRIMS_ASSIGN_OR_RETURN(source.root_, RealPath(path));
  TRIMS_ASSIGN_OR_RETURN(const struct stat seen, StatOf(source.root_));
  source.is_folder_ = S_ISDIR(seen.st_mode);
  if (source.is_folder_) {
    TRIMS_ASSIGN_OR_RETURN(source.files_, ListFolder(source.root_));
  } else {
    // The name that was asked for, not the one a link leads to: it tells the format.
    TRIMS_ASSIGN_OR_RETURN(SourceFile file,
                           Describe(fs::path(path).filename().string(), source.root_));
    source.files_.push_back(std::move(file));
  }
  const bool any = std::any_of(source.files_.begin(), source.files_.end(),
                               [](const SourceFile& file) { return file.length > 0; });
  if (any) return source;
  return Refuse("'" + path +
                "' holds no bytes: expected a model file, or a folder with at least one");
}

const SourceFile* SourceFiles::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      files_.begin(), files_.end(), name,
      [](const SourceFile& file, std::string_view wanted) { return file.name < wanted; });
  return found != files_.end() && found->name == name ? &*found : nullptr;
}

Result<FileBytes> SourceFiles::Open(const SourceFile& file) const {
  UniqueFd fd = sys::Open(file.path.c_str(), O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  // ENXIO: it became a socket.
  if (!fd && (errno == ENOENT || errno == ENXIO)) return Changed(file);
  if (!fd) return ErrnoStatus("opening '" + file.name + "'");
  struct stat now;
  if (::fstat(fd.get(), &now) != 0) return ErrnoStatus("'" + file.name + "'");
  if (!SameState(now, file.seen)) return Changed(file);
  return FileBytes::FromFd(file.name, std::move(fd));
}

Status SourceFiles::CheckUnchanged() const {
  for (const SourceFile& file : files_) {
    Result<struct stat> now = StatOf(file.path);
    if (!now.ok() || !SameState(*now, file.seen)) return Changed(file);
  }
  return Status();
}

}  // namespace trims
