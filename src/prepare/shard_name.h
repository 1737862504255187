// ShardName: what the name of a weight file says of itself.
//
// "model.fp16-00002-of-00003.safetensors" is shard 2 of 3 of the stem "model" in the precision "fp16".
// Hubs and exporters write the precision before or after the shard, behind a dot; ONNX exporters behind
// an underscore or a dash.
//
//   const ShardName name = ParseShardName("unet/model-00001-of-00002.safetensors", ".safetensors");
//   name.folder;  // "unet/"
//
// Source: the conventions of huggingface_hub, transformers and diffusers, and of llama.cpp's gguf-split.
// Thread-safety: pure functions.
#ifndef TRIMS_PREPARE_SHARD_NAME_H_
#define TRIMS_PREPARE_SHARD_NAME_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace trims {

inline constexpr std::string_view kOnnxSuffix = ".onnx";
inline constexpr std::string_view kSafetensorsSuffix = ".safetensors";
inline constexpr std::string_view kGgufSuffix = ".gguf";

struct ShardName {
  std::string folder;     // with its slash; empty: at the top
  std::string stem;       // without precision, shard and suffix
  std::string precision;  // empty: none is given
  uint32_t shard = 0;     // from 1 on; 0: not one of several
  uint32_t shards = 0;
};

// Whether it ends so, in letters of either case: "NET.ONNX" is what ".onnx" says.
bool HasSuffix(std::string_view name, std::string_view suffix);

// HasSuffix(`name`, `suffix`). Only what IsPrecision() knows is taken for a precision.
ShardName ParseShardName(std::string_view name, std::string_view suffix);

// The name of another shard of the same set.
std::string SiblingShard(std::string_view name, const ShardName& parsed, uint32_t shard);

// "fp16", "int8", "q4f16", "ema", …: what hubs call a variant of the same weights.
bool IsPrecision(std::string_view word);

}  // namespace trims

#endif  // TRIMS_PREPARE_SHARD_NAME_H_
