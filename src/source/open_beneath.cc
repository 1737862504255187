#include "source/open_beneath.h"

#include <linux/openat2.h>

#include <cerrno>
#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/plain_path.h"
#include "base/sys.h"

namespace trims {
namespace {

constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
constexpr uint64_t kBeneath = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
// openat2 gives EAGAIN where a rename races with it: it could not tell whether the path left the
// root.
constexpr int kRaceAttempts = 8;

UniqueFd OpenIn(int root, const std::string& relative) {
  UniqueFd fd;
  for (int attempt = 0; attempt < kRaceAttempts; ++attempt) {
    fd = sys::OpenAt2(root, relative.c_str(), kReadFlags, kBeneath);
    if (fd || errno != EAGAIN) break;
  }
  // EPERM: a seccomp filter that has not heard of openat2.
  if (!fd && (errno == ENOSYS || errno == EPERM)) return internal::WalkBeneath(root, relative);
  return fd;
}

Status OpenBeneathFailed(const std::string& root, const std::string& relative, int error) {
  const std::string name = "'" + relative + "' in '" + root + "'";
  if (error == EXDEV || error == ELOOP) {
    return Status(StatusCode::kPermissionDenied, "a symbolic link on " + name + " leads out of it",
                  "replace the link by the file it means");
  }
  return internal::OpenFailed(name, error);
}

}  // namespace

Status internal::OpenFailed(const std::string& name, int error) {
  if (error == ENXIO) return Status(StatusCode::kFailedPrecondition, name + " is no regular file");
  return ErrnoStatus("opening " + name, error);
}

UniqueFd internal::WalkBeneath(int root, const std::string& relative) {
  UniqueFd folder;
  size_t begin = 0;
  for (size_t end; (end = relative.find('/', begin)) != std::string::npos; begin = end + 1) {
    const std::string part = relative.substr(begin, end - begin);
    const int parent = folder ? folder.get() : root;
    UniqueFd next = sys::OpenAt(parent, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!next) {
      if (errno == ENOTDIR) errno = ELOOP;  // what O_DIRECTORY makes of a link
      return UniqueFd();
    }
    folder = std::move(next);
  }
  const int parent = folder ? folder.get() : root;
  return sys::OpenAt(parent, relative.c_str() + begin, kReadFlags | O_NOFOLLOW);
}

Result<UniqueFd> OpenFileBeneath(const std::string& root, const std::string& relative) {
  if (!IsPlainPath(relative)) {
    return Status(StatusCode::kInvalidArgument,
                  "'" + relative + "' is no plain path of a file beneath '" + root + "'");
  }
  const UniqueFd folder = sys::Open(root.c_str(), O_PATH | O_DIRECTORY);
  if (!folder) return ErrnoStatus("opening the folder '" + root + "'");
  UniqueFd fd = OpenIn(folder.get(), relative);
  if (!fd) return OpenBeneathFailed(root, relative, errno);
  return fd;
}

}  // namespace trims
