// Folders that may be there already, and names that are to stay there.
//
//   TRIMS_RETURN_IF_ERROR(MakeFolder("/data/models"));
//   TRIMS_RETURN_IF_ERROR(MakeFoldersOf("/data/models", "a/b/w.bin"));  // a and a/b
//   TRIMS_RETURN_IF_ERROR(SyncName("/data/models"));                    // in /data
//
// Thread-safety: functions.
#ifndef TRIMS_BASE_MAKE_FOLDERS_H_
#define TRIMS_BASE_MAKE_FOLDERS_H_

#include <string>

#include "trims/status.h"

namespace trims {

// Mode 0700; the folder that it is in has to be there. Errors as ErrnoStatus's of mkdir(2).
Status MakeFolder(const std::string& path);

// All folders of `name`, which is plain (base/plain_path.h), in `folder`.
Status MakeFoldersOf(const std::string& folder, const std::string& name);

// Writes to the disk that `path`, which is absolute, is in its folder: a power cut leaves the name there. A folder that
// this user may not read is left to the kernel.
Status SyncName(const std::string& path);

}  // namespace trims

#endif  // TRIMS_BASE_MAKE_FOLDERS_H_
