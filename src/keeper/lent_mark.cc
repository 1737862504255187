#include "keeper/lent_mark.h"

#include <fcntl.h>

#include <algorithm>

#include "base/errno_status.h"

namespace trims {
namespace {

// All bytes of the file.
struct flock Whole(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Status MarkLent(int fd) {
  const struct flock lock = Whole(F_RDLCK);
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return Status();
  return ErrnoStatus("marking an extent as lent");
}

bool IsLentByAnother(int fd) {
  struct flock lock = Whole(F_WRLCK);
  return ::fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::vector<int> DescriptorsOf(const ResidentBytes& bytes) {
  std::vector<int> fds = {bytes.index.fd.get()};
  for (const Handle& extent : bytes.extents) fds.push_back(extent.fd.get());
  return fds;
}

bool IsLentByAnother(const ResidentBytes& bytes) {
  const std::vector<int> fds = DescriptorsOf(bytes);
  return std::ranges::any_of(fds, [](int fd) { return IsLentByAnother(fd); });
}

}  // namespace trims
