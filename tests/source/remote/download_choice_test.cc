#include "source/download_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trims {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Chosen(const std::vector<std::string>& names) {
  std::vector<RemoteFile> listed;
  for (const std::string& name : names) listed.push_back({.name = name, .length = 1});
  std::vector<std::string> chosen;
  for (const RemoteFile& file : WorthFetching(listed)) chosen.push_back(file.name);
  return chosen;
}

TEST(DownloadChoiceTest, OtherFrameworksWeightsAreLeft) {
  EXPECT_THAT(Chosen({"config.json", "coreml/m.mlpackage/Data/w.bin", "flax_model.msgpack",
                      "model.safetensors", "pytorch_model.bin", "pytorch_model-00001-of-00002.bin",
                      "rust_model.ot", "tf_model.h5", "tokenizer.json", "logo.png"}),
              ElementsAre("config.json", "model.safetensors", "tokenizer.json"));
}

TEST(DownloadChoiceTest, ExternalDataOfOnnxStays) {
  EXPECT_THAT(Chosen({"onnx/model.onnx", "onnx/weights.bin", "pytorch_model.bin"}),
              ElementsAre("onnx/model.onnx", "onnx/weights.bin"));
}

TEST(DownloadChoiceTest, WithoutAKnownFormatAllIsTaken) {
  EXPECT_THAT(Chosen({"a.h5", "b.txt", "pytorch_model.bin"}),
              ElementsAre("a.h5", "b.txt", "pytorch_model.bin"));
}

}  // namespace
}  // namespace trims
