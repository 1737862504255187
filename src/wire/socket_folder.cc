#include "wire/socket_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/errno_status.h"
#include "base/shell_quote.h"
#include "base/sys.h"

namespace trims::wire {
namespace {

constexpr uid_t kOverflowUid = 65534;  // what the kernel shows for an owner without a mapping
constexpr std::string_view kAllIds = "         0          0 4294967295\n";

bool IsUsOrRoot(uid_t uid) { return uid == ::geteuid() || uid == 0; }

// Whether ids of this process are mapped, so that files can have owners that do not exist here.
bool InUserNamespace() {
  const UniqueFd file = sys::Open("/proc/self/uid_map", O_RDONLY);
  char text[64];
  const ssize_t size = file ? sys::Read(file.get(), text, sizeof(text)) : -1;
  return size > 0 && std::string_view(text, static_cast<size_t>(size)) != kAllIds;
}

bool MayOwn(uid_t owner, PathOrigin origin) {
  return IsUsOrRoot(owner) ||
         (origin == PathOrigin::kConfigured && owner == kOverflowUid && InUserNamespace());
}

Status Refuse(const std::string& folder, const std::string& why, const std::string& hint) {
  return Status(StatusCode::kPermissionDenied, "socket folder " + folder + " " + why, hint);
}

}  // namespace

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status CheckSocketFolder(const std::string& socket_path, PathOrigin origin) {
  const std::string folder = FolderOf(socket_path);
  struct stat info;
  if (::stat(folder.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return Status(StatusCode::kNotFound, "no trimsd socket at " + socket_path);
    return ErrnoStatus("looking at socket folder " + folder);
  }
  if (!MayOwn(info.st_uid, origin)) {
    return Refuse(folder,
                  "belongs to uid " + std::to_string(info.st_uid) + ": expected uid " +
                      std::to_string(::geteuid()) + " or root",
                  "another TRIMS_SOCKET, or remove the folder");
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return Status();
  if ((info.st_mode & S_ISVTX) == 0)
    return Refuse(folder, "may be written by others", "chmod go-w " + ShellQuote(folder));
  if (::lstat(socket_path.c_str(), &info) != 0 || MayOwn(info.st_uid, origin)) return Status();
  return Refuse(folder,
                "may be written by others, and the socket in it belongs to uid " +
                    std::to_string(info.st_uid),
                "another TRIMS_SOCKET");
}

}  // namespace trims::wire
