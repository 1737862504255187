#include "tools/trimsd/places.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "trims/client.h"

#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/program.h"
#include "base/sys.h"

namespace trims::daemon {
namespace {

namespace fs = std::filesystem;

std::string Octal(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

Result<std::string> Absolute(const std::string& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) return ErrnoStatus("resolving '" + path + "'", error.value());
  return absolute.lexically_normal().string();
}

Result<std::string> DataFolder(const DaemonOptions& options) {
  if (!options.data.empty()) return Absolute(options.data);
  if (options.system) return std::string("/var/lib/trims");
  if (const std::string base = EnvironmentVariable("XDG_DATA_HOME"); !base.empty()) {
    return Absolute(base + "/trims");
  }
  if (const std::string home = EnvironmentVariable("HOME"); !home.empty()) {
    return Absolute(home + "/.local/share/trims");
  }
  return Status(StatusCode::kFailedPrecondition,
                "neither XDG_DATA_HOME nor HOME says where to keep models", "name it: --data DIR");
}

Result<std::string> SocketPath(const DaemonOptions& options) {
  if (!options.socket.empty()) return Absolute(options.socket);
  return options.system ? SystemSocketPath() : UserSocketPath();
}

Status CheckOwnFolder(const std::string& folder) {
  struct stat info;
  if (::lstat(folder.c_str(), &info) != 0)
    return ErrnoStatus("looking at the socket's folder " + folder);
  if (!S_ISDIR(info.st_mode)) {
    return Status(StatusCode::kPermissionDenied, folder + " is no folder",
                  "name another place: --socket PATH");
  }
  if (info.st_uid != ::geteuid()) {
    return Status(StatusCode::kPermissionDenied,
                  "the socket's folder " + folder + " belongs to uid " +
                      std::to_string(info.st_uid) + ", expected uid " + std::to_string(::geteuid()),
                  "remove it, or name another place: --socket PATH");
  }
  if (info.st_mode & (S_IWGRP | S_IWOTH)) {
    return Status(
        StatusCode::kPermissionDenied,
        "others may write the socket's folder " + folder + " (mode " + Octal(info.st_mode) + ")",
        "name a socket in a folder of its own: --socket PATH");
  }
  return Status();
}

// Makes the folder, but not its parents: a mistyped path should say so. Whatever the umask.
Status MakeSocketFolder(const std::string& folder, mode_t mode) {
  if (::mkdir(folder.c_str(), mode) == 0) {
    if (::chmod(folder.c_str(), mode) != 0) return ErrnoStatus("setting the mode of " + folder);
  } else if (errno == ENOENT) {
    return Status(StatusCode::kNotFound, "the folder above " + folder + " is not there",
                  "make it, or name another place: --socket PATH");
  } else if (errno != EEXIST) {
    return ErrnoStatus("making the socket's folder " + folder);
  }
  return CheckOwnFolder(folder);
}

// With those above it, where they are missing. All of their names are on the disk then: a model that was added is
// not to go with the folder that holds it.
Status MakeDataFolder(const std::string& folder, mode_t mode) {
  std::error_code error;
  std::vector<fs::path> names = {folder};
  while (!fs::exists(names.back(), error) && names.back().has_relative_path())
    names.push_back(names.back().parent_path());
  const bool made = fs::create_directories(folder, error);
  if (error) return ErrnoStatus("making the data folder " + folder, error.value());
  if (made && ::chmod(folder.c_str(), mode) != 0)
    return ErrnoStatus("setting the mode of " + folder);
  for (const fs::path& name : names) TRIMS_RETURN_IF_ERROR(SyncName(name.string()));
  return Status();
}

// The lock file stays: were it removed, a daemon that waits for it and one that makes it anew would
// both hold one.
Result<UniqueFd> Lock(const std::string& path, const Status& taken) {
  UniqueFd file = sys::Open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  if (!file) return ErrnoStatus("opening the lock " + path);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  if (errno == EWOULDBLOCK) return taken;
  return ErrnoStatus("locking " + path);
}

}  // namespace

Result<Places> Places::Claim(const DaemonOptions& options) {
  Places places;
  TRIMS_ASSIGN_OR_RETURN(places.socket_, SocketPath(options));
  TRIMS_ASSIGN_OR_RETURN(places.data_, DataFolder(options));
  const std::string folder = fs::path(places.socket_).parent_path().string();
  TRIMS_RETURN_IF_ERROR(MakeSocketFolder(folder, options.system ? 0755 : 0700));
  TRIMS_ASSIGN_OR_RETURN(
      places.socket_lock_,
      Lock(places.socket_ + ".lock",
           Status(StatusCode::kAlreadyExists, "another trimsd serves " + places.socket_,
                  "use that one (trims status), stop it, or name another place: --socket PATH")));
  TRIMS_RETURN_IF_ERROR(MakeDataFolder(places.data_, options.system ? 0755 : 0700));
  TRIMS_ASSIGN_OR_RETURN(
      places.data_lock_,
      Lock(places.data_ + "/lock",
           Status(StatusCode::kAlreadyExists, "another trimsd keeps its models in " + places.data_,
                  "stop it, or name another place: --data DIR")));
  return places;
}

Status Places::NoteSocket() {
  bound_ = sys::Open(socket_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  return bound_ ? Status() : ErrnoStatus("opening the socket " + socket_);
}

void Places::RemoveSocket() {
  struct stat bound;
  struct stat there;
  if (!bound_ || ::fstat(bound_.get(), &bound) != 0) return;
  if (::lstat(socket_.c_str(), &there) != 0) return;
  if (bound.st_dev == there.st_dev && bound.st_ino == there.st_ino) {
    ::unlink(socket_.c_str());
    return;
  }
  LogWarning("socket.replaced", {{"socket", socket_}, {"hint", "it is not this daemon's: left"}});
}

}  // namespace trims::daemon
