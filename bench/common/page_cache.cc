#include "common/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/mapping.h"
#include "base/sys.h"

namespace trims::bench {
namespace {

Status CheckNothingCached(const std::string& path, int fd, size_t size) {
  TRIMS_ASSIGN_OR_RETURN(const Mapping mapping, Mapping::OfFile(fd, size, PROT_READ));
  std::vector<unsigned char> resident((size + kPageSize - 1) / kPageSize);
  if (mincore(mapping.data(), size, resident.data()) != 0) return ErrnoStatus("mincore " + path);
  const auto cached =
      std::count_if(resident.begin(), resident.end(), [](int page) { return (page & 1) != 0; });
  if (cached == 0) return {};
  return Status(
      StatusCode::kFailedPrecondition,
      path + ": " + std::to_string(cached) + " pages stay in the page cache: is it mapped?");
}

}  // namespace

Status DropFromPageCache(const std::string& path) {
  const UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (!fd) return ErrnoStatus("open " + path);
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return ErrnoStatus("stat " + path);
  if (info.st_size == 0) return {};
  if (fdatasync(fd.get()) != 0) return ErrnoStatus("sync " + path);
  if (const int error = posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED); error != 0) {
    return ErrnoStatus("drop " + path, error);
  }
  return CheckNothingCached(path, fd.get(), static_cast<size_t>(info.st_size));
}

}  // namespace trims::bench
