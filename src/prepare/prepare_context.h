// PrepareContext: what one variant is made of and where it goes.
#ifndef TRIMS_PREPARE_PREPARE_CONTEXT_H_
#define TRIMS_PREPARE_PREPARE_CONTEXT_H_

#include "prepare/out_folder.h"
#include "prepare/progress.h"
#include "source/file_tree.h"

namespace trims {

// All borrowed. `out` is the folder of the variant that is being made.
struct PrepareContext {
  const FileTree& source;
  const OutFolder& out;
  PrepareProgress& progress;
  bool layers = false;  // `tensors` are laid so that layers can be shared (tensor_groups.h)
};

}  // namespace trims

#endif  // TRIMS_PREPARE_PREPARE_CONTEXT_H_
