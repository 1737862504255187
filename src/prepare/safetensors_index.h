// SafetensorsIndex: *.safetensors.index.json, which says in which shard each tensor of a model lies.
//
//   TRIMS_ASSIGN_OR_RETURN(const SafetensorsIndex index, ReadSafetensorsIndex(source, name));
//   index.shard_of.at("layers.0.weight");  // "model-00001-of-00003.safetensors"
//
// Source: huggingface_hub's description of sharded safetensors. Thread-safety: a function.
#ifndef TRIMS_PREPARE_SAFETENSORS_INDEX_H_
#define TRIMS_PREPARE_SAFETENSORS_INDEX_H_

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "source/source_tree.h"

namespace trims {

struct SafetensorsIndex {
  std::string name;                             // of the index's file
  std::map<std::string, std::string> shard_of;  // tensor → file, both as in the source
  std::set<std::string> shards;
};

// Whether a file is an index by its name; its precision may stand before or after the suffix
// ("model.fp16.safetensors.index.json", "model.safetensors.index.fp16.json", and, as diffusers once
// wrote it, "model.safetensors.fp16.index.json").
bool IsSafetensorsIndex(std::string_view name);

// The name of the weights that an index is of: "unet/model.fp16.safetensors".
std::string WeightsNameOfIndex(std::string_view name);

// INVALID_ARGUMENT: not such a document, or it names files that aren't beside it.
Result<SafetensorsIndex> ReadSafetensorsIndex(const SourceTree& source, const std::string& name);

}  // namespace trims

#endif  // TRIMS_PREPARE_SAFETENSORS_INDEX_H_
