#include "source/file_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/plain_path.h"
#include "base/sys.h"
#include "source/file_bytes.h"

namespace trims {
namespace {

namespace fs = std::filesystem;

Status Changed(const ListedFile& file) {
  return Status(StatusCode::kFailedPrecondition,
                "'" + file.name + "' changed or vanished while it was read",
                "add the model again once nothing writes to it");
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

// `name` in `folder`, by a link at most as far as the bounds allow.
Result<FileBytes> OpenWithin(const LinkBounds& bounds, const std::string& folder,
                             const std::string& name) {
  if (bounds.anywhere && IsPlainPath(name)) return FileBytes::Open(folder + "/" + name);
  if (folder == bounds.folder || !bounds.Allow(folder)) {
    return FileBytes::OpenBeneath(folder, name);
  }
  if (!IsPlainPath(name)) return FileBytes::OpenBeneath(folder, name);  // which refuses it
  return FileBytes::OpenBeneath(bounds.folder,
                                folder.substr(bounds.folder.size() + 1) + "/" + name);
}

// A snapshot that is itself a link, or lies behind one, could name any folder.
Status CheckInRepository(const std::string& path, const std::string& real, bool anywhere) {
  const std::string_view repository = HubRepositoryOf(path);
  if (anywhere || repository.empty()) return Status();
  TRIMS_ASSIGN_OR_RETURN(const std::string bounds, RealPath(std::string(repository)));
  if (LinkBounds{.anywhere = false, .folder = bounds}.Allow(real)) return Status();
  return Status(StatusCode::kInvalidArgument,
                "'" + path + "' leads out of its repository '" + bounds + "'",
                "if you trust where it leads: trims add … --follow-links");
}

bool ByName(const ListedFile& file, std::string_view name) { return file.name < name; }

}  // namespace

FileTree::FileTree(std::string folder, std::string name, bool follow_links)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      is_folder_(name_.empty()),
      bounds_(LinkBounds::Of(folder_, follow_links)) {}

Result<FileTree> FileTree::At(const SourceUri& uri) {
  if (uri.is_remote()) {
    return Status(StatusCode::kUnimplemented,
                  "'" + uri.ToString() + "' is not on this machine: expected a file or folder",
                  "download the model and add it as file:///absolute/path");
  }
  struct stat found;
  if (::stat(uri.path.c_str(), &found) != 0) return ErrnoStatus("'" + uri.path + "'");
  if (S_ISDIR(found.st_mode)) return FileTree(uri.path, "", uri.follow_links);
  if (S_ISREG(found.st_mode)) {
    const fs::path path(uri.path);
    std::string folder = path.parent_path().string();
    if (folder == "/") folder.clear();
    return FileTree(std::move(folder), path.filename().string(), uri.follow_links);
  }
  return Status(StatusCode::kInvalidArgument,
                "'" + uri.path + "': expected a regular file or a folder, came something else",
                "give the path of the model's file or folder");
}

Status FileTree::Resolve() {
  TRIMS_ASSIGN_OR_RETURN(std::string real, RealPath(folder_.empty() ? "/" : folder_));
  TRIMS_RETURN_IF_ERROR(CheckInRepository(path(), real, bounds_.anywhere));
  folder_ = std::move(real);
  if (!is_folder_ && folder_ == "/") folder_.clear();
  bounds_ = LinkBounds::Of(folder_, bounds_.anywhere);
  return Status();
}

Result<std::vector<SourceEntry>> FileTree::List() {
  TRIMS_RETURN_IF_ERROR(Resolve());
  if (is_folder_) {
    TRIMS_ASSIGN_OR_RETURN(files_, ListFolder(folder_, bounds_));
  } else {
    TRIMS_ASSIGN_OR_RETURN(ListedFile file, ListFile(folder_, name_, OwnBounds()));
    files_.clear();
    files_.push_back(std::move(file));
  }
  std::vector<SourceEntry> entries(files_.begin(), files_.end());
  uint64_t bytes = 0;
  for (const ListedFile& file : files_) bytes += file.length;
  if (bytes > 0) return entries;
  return Status(
      StatusCode::kInvalidArgument,
      "'" + path() + "' holds no bytes: expected a model file, or a folder with at least one",
      is_folder_ ? "look what is in it: ls -lA" : "get the file again: it is empty");
}

// The user named this very file: wherever its link leads; but a hub's links stay in their repository.
LinkBounds FileTree::OwnBounds() const {
  LinkBounds own = bounds_;
  own.anywhere |= bounds_.folder == folder_;
  return own;
}

Status FileTree::Include(const std::string& name) {
  if (is_folder_ || Find(name) != nullptr) return Status();
  TRIMS_ASSIGN_OR_RETURN(ListedFile file, ListFile(folder_, name, bounds_));
  files_.insert(std::lower_bound(files_.begin(), files_.end(), name, ByName), std::move(file));
  return Status();
}

const ListedFile* FileTree::Find(std::string_view name) const {
  const auto found = std::lower_bound(files_.begin(), files_.end(), name, ByName);
  return found != files_.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string> FileTree::Reach() const {
  std::vector<std::string> paths;
  if (is_folder_) paths.push_back(folder_);
  for (const ListedFile& file : files_) {
    const bool inside = is_folder_ && LinkBounds{.folder = folder_}.Allow(file.path);
    if (!inside) paths.push_back(file.path);
  }
  return paths;
}

Result<std::unique_ptr<RandomAccess>> FileTree::Open(const std::string& name) const {
  if (!files_.empty()) {
    const ListedFile* file = Find(name);
    return file == nullptr ? NoSuchFile(path(), name) : Owned(OpenAsSeen(*file));
  }
  const bool itself = !is_folder_ && name == name_;
  return Owned(OpenWithin(itself ? OwnBounds() : bounds_, folder_, name));
}

Status FileTree::CheckUnchanged() const {
  for (const ListedFile& file : files_) {
    Result<struct stat> now = StatOf(file.path);
    if (!now.ok() || VersionOf(*now) != file.version) return Changed(file);
  }
  return Status();
}

}  // namespace trims
