// SafetensorsChoice: which of a source's safetensors files are the model, and under which names.
//
// A folder may hold shards with an index, several precisions side by side, other weights beside them,
// and a pipeline a folder for each component. What the folder's own tools would load is what is taken:
//   1. An index decides which files are the model; without one, shards are told by their names.
//      A file that is whole has all tensors, and shards without an index beside it are the same again.
//   2. Of several weights in one folder, those named as the tools name them (kUsualStems); where no name
//      is usual, all of them.
//   3. The precision that was asked for; else the weights without one in their name; else the only one.
//   4. Several components: those that model_index.json names, else every folder with weights. The
//      tensors of each have its folder before their names: "unet/conv_in.weight".
//
//   TRIMS_ASSIGN_OR_RETURN(const SafetensorsChoice choice, ChooseSafetensors(source, "fp16"));
//
// Source: the conventions of huggingface_hub, transformers and diffusers. Thread-safety: functions.
#ifndef TRIMS_PREPARE_SAFETENSORS_CHOICE_H_
#define TRIMS_PREPARE_SAFETENSORS_CHOICE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "prepare/safetensors_index.h"
#include "source/file_tree.h"

namespace trims {

struct SafetensorsComponent {
  std::string prefix = {};                     // of its tensors' names: "unet/" or empty
  std::vector<size_t> files = {};              // of the source, by name
  std::optional<SafetensorsIndex> index = {};  // by which they were chosen
};

struct SafetensorsChoice {
  std::vector<SafetensorsComponent> components;  // empty: the source has no safetensors files
  std::vector<std::string> notes;

  std::vector<size_t> Files() const;
};

// DATA_LOSS: a shard is missing. NOT_FOUND: the precision is in none of them. FAILED_PRECONDITION:
// there are several precisions and nothing says which. INVALID_ARGUMENT: an index is none.
Result<SafetensorsChoice> ChooseSafetensors(const FileTree& source, std::string_view precision);

}  // namespace trims

#endif  // TRIMS_PREPARE_SAFETENSORS_CHOICE_H_
