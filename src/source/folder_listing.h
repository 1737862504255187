// ListFolder: the files of a folder and of those beneath it, with what symbolic links mean resolved.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::vector<ListedFile> files, ListFolder("/models/ocr", bounds));
//
// Only names and metadata are looked at; nothing is opened. Thread-safety: functions.
#ifndef TRIMS_SOURCE_FOLDER_LISTING_H_
#define TRIMS_SOURCE_FOLDER_LISTING_H_

#include <sys/stat.h>

#include <string>
#include <vector>

#include "trims/status.h"

#include "source/link_bounds.h"
#include "source/source_tree.h"

namespace trims {

// A file as the listing saw it.
struct ListedFile : SourceEntry {
  std::string path;  // absolute, without symbolic links
};

// By name. `root`: absolute, without symbolic links. INVALID_ARGUMENT: a link that leads further than
// `bounds` allow or to nothing, something that is neither file nor folder, names that can't be written
// down, more than a model may have.
Result<std::vector<ListedFile>> ListFolder(const std::string& root, const LinkBounds& bounds);

// `root`/`name`, which may be a link. NOT_FOUND: there is no such file; else as ListFolder().
Result<ListedFile> ListFile(const std::string& root, const std::string& name,
                            const LinkBounds& bounds);

Result<std::string> RealPath(const std::string& path);

// Differs once a file was changed or replaced.
std::string VersionOf(const struct stat& seen);

// Of a path without symbolic links.
Result<struct stat> StatOf(const std::string& path);

}  // namespace trims

#endif  // TRIMS_SOURCE_FOLDER_LISTING_H_
