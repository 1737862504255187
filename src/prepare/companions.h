// Companions: the files that a single file needs besides itself.
//
// External data of an ONNX model, the shards that an index names, the other parts of a split GGUF,
// the symbol of MXNet's parameters. They
// are found by reading the file, which is why it happens in a sandbox (prepare/scout.h).
//
//   for (const std::string& name : CompanionsOf(tree)) Include(name);
//
// Thread-safety: functions.
#ifndef TRIMS_PREPARE_COMPANIONS_H_
#define TRIMS_PREPARE_COMPANIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "source/file_tree.h"

namespace trims {

// Whether a file of this name can have any.
bool MayHaveCompanions(std::string_view name);

// Names as in the source's folder, whether they are there or not; each once, not the file itself. A
// file that can't be read as what its name says has none: preparing it will say why.
std::vector<std::string> CompanionsOf(const FileTree& source);

}  // namespace trims

#endif  // TRIMS_PREPARE_COMPANIONS_H_
