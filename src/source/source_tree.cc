#include "source/source_tree.h"

#include <utility>

#include "base/macros.h"
#include "source/file_tree.h"

namespace trims {

Result<std::unique_ptr<SourceTree>> OpenSourceTree(const SourceUri& uri) {
  TRIMS_ASSIGN_OR_RETURN(FileTree tree, FileTree::At(uri));
  return std::unique_ptr<SourceTree>(std::make_unique<FileTree>(std::move(tree)));
}

}  // namespace trims
