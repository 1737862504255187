// SourceTree: the files of a model's source by their names, wherever it is: a folder, or a single
// file, which is there under its base name. Stores on the network will be other trees.
//
//   TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri(image.source));
//   TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<SourceTree> tree, OpenSourceTree(uri));
//   TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file, tree->Open("net/w.bin"));
//
// Every call may wait for a disk or a network. Thread-safety: Open() from any thread; List() alone.
#ifndef TRIMS_SOURCE_SOURCE_TREE_H_
#define TRIMS_SOURCE_SOURCE_TREE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/random_access.h"
#include "source/source_uri.h"

namespace trims {

struct SourceEntry {
  std::string name;  // plain (base/plain_path.h)
  uint64_t length = 0;
  std::string version;  // differs, in one tree, once the file was changed; for nobody to take apart
};

class SourceTree {
 public:
  virtual ~SourceTree() = default;
  // All files, by name. What was listed once is from then on only opened while it stays what it was.
  // INVALID_ARGUMENT: more than a model may have, or names that can't be written down.
  virtual Result<std::vector<SourceEntry>> List() = 0;
  // INVALID_ARGUMENT: no plain name; NOT_FOUND; PERMISSION_DENIED; FAILED_PRECONDITION: no regular
  // file, or it changed since it was listed.
  virtual Result<std::unique_ptr<RandomAccess>> Open(const std::string& name) const = 0;
};

// Of files on this machine. NOT_FOUND: there is nothing; PERMISSION_DENIED: this user may not look;
// UNIMPLEMENTED: `uri` is of a network (source/remote_tree.h).
Result<std::unique_ptr<SourceTree>> OpenSourceTree(const SourceUri& uri);

}  // namespace trims

#endif  // TRIMS_SOURCE_SOURCE_TREE_H_
