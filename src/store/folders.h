// Folders of prepared models: made, published and removed. Every function blocks: call them on a
// Worker.
//
// A new folder is called ".incoming-XXXXXX" while the preparer fills it; publishing syncs it and
// renames it to
// "<first 16 digits of the digest>-<n>", so that what bears such a name is complete.
#ifndef TRIMS_STORE_FOLDERS_H_
#define TRIMS_STORE_FOLDERS_H_

#include <cstddef>
#include <set>
#include <string>

#include "trims/status.h"

namespace trims {

// Absolute, symbolic links resolved. NOT_FOUND: there is no such file; PERMISSION_DENIED: this user
// may not reach it.
Result<std::string> CanonicalPath(const std::string& path);

// Makes `root` too (mode 0700) if it isn't there.
Result<std::string> MakeIncomingFolder(const std::string& root);

// Syncs all of `folder` and renames it to a free name `<into>/<stem>-<n>`, which it returns.
Result<std::string> PublishFolder(const std::string& folder, const std::string& into,
                                  const std::string& stem);

// Removes `folder` and all in it, without following links. No error if it isn't there.
Status RemoveFolder(const std::string& folder);

// How many folders in `root` bear the name of a prepared model; none if there is no `root`.
Result<size_t> CountPublished(const std::string& root);

// Removes the folders in `root` that have one of the names above and are not in `keep`; leaves
// everything else alone. `keep` holds names, not paths, so that another spelling of `root` than
// last time costs nobody a model.
void RemoveOrphans(const std::string& root, const std::set<std::string>& keep);

}  // namespace trims

#endif  // TRIMS_STORE_FOLDERS_H_
