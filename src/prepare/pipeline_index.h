// PipelineIndex: model_index.json at the top of a pipeline's folder, which names its components.
//
// Source: diffusers' description of its pipelines. Thread-safety: a function.
#ifndef TRIMS_PREPARE_PIPELINE_INDEX_H_
#define TRIMS_PREPARE_PIPELINE_INDEX_H_

#include <set>
#include <string>

#include "trims/status.h"

#include "source/file_tree.h"

namespace trims {

struct PipelineIndex {
  bool is_pipeline = false;          // there is such a file, and it names components
  std::set<std::string> components;  // their folders, with a slash: "unet/"
};

// A document that is none is taken for one that names nothing: it is not a weight file.
Result<PipelineIndex> ReadPipelineIndex(const FileTree& source);

}  // namespace trims

#endif  // TRIMS_PREPARE_PIPELINE_INDEX_H_
