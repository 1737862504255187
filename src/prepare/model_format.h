// ModelFormat: what a source is, told by the names and first bytes of its files.
#ifndef TRIMS_PREPARE_MODEL_FORMAT_H_
#define TRIMS_PREPARE_MODEL_FORMAT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "source/file_tree.h"

namespace trims {

struct ModelFormat {
  std::string name;           // "onnx", "safetensors", "gguf", "files": as in the manifest
  std::vector<size_t> parts;  // the files that are the model: one .onnx, or all .safetensors
  std::string note;           // for people, where the choice was not obvious; or empty
};

// One .onnx file, or model.onnx at the top among several, is ONNX; else all .safetensors files
// together are one model (its shards); else a single file with GGUF's magic is GGUF; anything else
// is just files.
Result<ModelFormat> FormatOf(const FileTree& source);

}  // namespace trims

#endif  // TRIMS_PREPARE_MODEL_FORMAT_H_
