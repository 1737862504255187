// ModelFormat: what a source is, told by the names and first bytes of its files.
#ifndef TRIMS_PREPARE_MODEL_FORMAT_H_
#define TRIMS_PREPARE_MODEL_FORMAT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "prepare/mxnet_choice.h"
#include "prepare/safetensors_choice.h"
#include "source/file_tree.h"

namespace trims {

struct ModelFormat {
  std::string name;  // "onnx", "safetensors", "gguf", "mxnet", "files": as in the manifest
  std::optional<size_t> onnx;
  SafetensorsChoice safetensors;
  std::vector<size_t> gguf;
  MxnetChoice mxnet;
  std::vector<std::string> notes;  // for people, where the choice was not obvious

  // All files that are the model, external data apart.
  std::vector<size_t> Parts() const;
};

// ONNX as ChooseOnnx(), safetensors as ChooseSafetensors(); a folder may hold both, and the name is
// then of what lies nearer to the top. Without either, files in .gguf, or with GGUF's magic, are
// GGUF; else MXNet's as ChooseMxnet(); a single file of another name is what it holds; anything else is just files. `files_only`: nothing but the bytes matters, and whatever is
// odd is only noted.
//
// DATA_LOSS: a shard is missing. FAILED_PRECONDITION: a part was not downloaded completely.
// NOT_FOUND: no weights are in the precision. INVALID_ARGUMENT: an index is none.
Result<ModelFormat> FormatOf(const FileTree& source, std::string_view precision, bool files_only);

}  // namespace trims

#endif  // TRIMS_PREPARE_MODEL_FORMAT_H_
