#include "prepare/mapped_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <utility>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"
#include "base/unique_fd.h"

namespace trims {

Result<MappedFile> MapFile(const std::string& path, const std::string& name) {
  const UniqueFd fd = sys::Open(path.c_str(), O_RDONLY | O_NOFOLLOW);
  struct stat found;
  if (!fd || ::fstat(fd.get(), &found) != 0) return ErrnoStatus("reading '" + name + "'");
  const auto length = static_cast<size_t>(found.st_size);
  if (length == 0) return Status(StatusCode::kInvalidArgument, "'" + name + "' is empty");
  TRIMS_ASSIGN_OR_RETURN(Mapping mapping, Mapping::OfFile(fd.get(), length, PROT_READ));
  return MappedFile{std::move(mapping), length};
}

}  // namespace trims
