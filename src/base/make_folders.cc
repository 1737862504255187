#include "base/make_folders.h"

#include <fcntl.h>

#include <cerrno>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/sys.h"

namespace trims {

Status MakeFolder(const std::string& path) {
  if (sys::MakeFolder(path.c_str(), 0700) == 0 || errno == EEXIST) return Status();
  return ErrnoStatus("can't make the folder " + path);
}

Status MakeFoldersOf(const std::string& folder, const std::string& name) {
  for (size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    TRIMS_RETURN_IF_ERROR(MakeFolder(folder + "/" + name.substr(0, slash)));
  }
  return Status();
}

Status SyncName(const std::string& path) {
  const size_t slash = path.rfind('/', path.find_last_not_of('/'));
  const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
  const UniqueFd fd = sys::Open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd && errno == EACCES) return Status();
  if (fd && sys::Fsync(fd.get()) == 0) return Status();
  return ErrnoStatus("can't write the folder " + folder);
}

}  // namespace trims
