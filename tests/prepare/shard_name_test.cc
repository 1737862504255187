#include "prepare/shard_name.h"

#include <gtest/gtest.h>

namespace trims {
namespace {

constexpr std::string_view kSuffix = ".safetensors";

struct Example {
  const char* name;
  ShardName parsed;
};

TEST(ShardName, TakesNamesApart) {
  const Example examples[] = {
      {"model.safetensors", {"", "model", "", 0, 0}},
      {"unet/model.fp16.safetensors", {"unet/", "model", "fp16", 0, 0}},
      {"model-00002-of-00003.safetensors", {"", "model", "", 2, 3}},
      {"model.fp16-00001-of-00002.safetensors", {"", "model", "fp16", 1, 2}},
      {"model-00001-of-00002.fp16.safetensors", {"", "model", "fp16", 1, 2}},
      {"a/b/x.non_ema.safetensors", {"a/b/", "x", "non_ema", 0, 0}},
      {"net_1.0.safetensors", {"", "net_1.0", "", 0, 0}},
      {"model-00000-of-00002.safetensors", {"", "model-00000-of-00002", "", 0, 0}},
      {"model-00003-of-00002.safetensors", {"", "model-00003-of-00002", "", 0, 0}},
      {"fp16.safetensors", {"", "fp16", "", 0, 0}},
      {".safetensors", {"", "", "", 0, 0}}};
  for (const Example& example : examples) {
    const ShardName parsed = ParseShardName(example.name, kSuffix);
    EXPECT_EQ(parsed.folder, example.parsed.folder) << example.name;
    EXPECT_EQ(parsed.stem, example.parsed.stem) << example.name;
    EXPECT_EQ(parsed.precision, example.parsed.precision) << example.name;
    EXPECT_EQ(parsed.shard, example.parsed.shard) << example.name;
    EXPECT_EQ(parsed.shards, example.parsed.shards) << example.name;
  }
}

TEST(ShardName, OfOnnxHasThePrecisionBehindAnUnderscore) {
  EXPECT_EQ(ParseShardName("onnx/model_q4f16.onnx", ".onnx").precision, "q4f16");
  EXPECT_EQ(ParseShardName("onnx/model_quantized.onnx", ".onnx").stem, "model");
}

TEST(ShardName, NamesTheOthersOfItsSet) {
  const std::string name = "u/model.fp16-00001-of-00002.safetensors";
  EXPECT_EQ(SiblingShard(name, ParseShardName(name, kSuffix), 2),
            "u/model.fp16-00002-of-00002.safetensors");
}

}  // namespace
}  // namespace trims
