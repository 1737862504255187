// Sharing by layer in a real daemon: layers that lie elsewhere in another model are shared all the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/granularity.h"
#include "e2e/daemon/daemon_process.h"
#include "support/safetensors_file.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kLongLayerBytes = size_t{9} << 20;  // and 512 KiB in its last block
constexpr uint64_t kLaidLayerBytes = uint64_t{10} << 20;
constexpr size_t kLayers = 4;

// Named as their files' tensors are: a vocabulary that comes first, and layers.
struct Tuned {
  size_t words = 0;  // bytes of the vocabulary
  std::vector<uint64_t> seeds;
};

std::string FileOf(const Tuned& model) {
  std::string header = R"({"embed.weight":{"dtype":"U8","shape":[)" + std::to_string(model.words) +
                       R"(],"data_offsets":[0,)" + std::to_string(model.words) + "]}";
  std::string data = RandomLayer(99, model.words);
  for (size_t i = 0; i < model.seeds.size(); ++i) {
    const std::string begin = std::to_string(data.size());
    data += RandomLayer(model.seeds[i], kLongLayerBytes);
    header += R"(,"layers.)" + std::to_string(i) + R"(.weight":{"dtype":"U8","shape":[)" +
              std::to_string(kLongLayerBytes) + R"(],"data_offsets":[)" + begin + "," +
              std::to_string(data.size()) + "]}";
  }
  header += "}";
  const uint64_t length = header.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  return file + header + data;
}

class LayersTest : public ::testing::Test {
 protected:
  LayersTest() {
    daemon_.emplace(folder_.path(),
                    std::vector<std::string>{"--keeper", "off", "--host-budget", "512MiB"});
  }
  nlohmann::json Add(const std::string& name, const Tuned& model, const std::string& granularity) {
    folder_.Write(name + ".safetensors", FileOf(model));
    Admin admin = Admin::Connect({.socket_path = daemon_->socket(), .client_name = "test"}).value();
    const Result<std::string> added =
        admin.Add(name + ":1", "file://" + folder_.path() + "/" + name + ".safetensors",
                  {.variants = {Variant::kTensors}, .granularity = granularity, .on_progress = {}});
    EXPECT_TRUE(added.ok()) << added.status().ToString() << daemon_->Log();
    return added.ok() ? nlohmann::json::parse(*added) : nlohmann::json();
  }
  void ExpectServes(const std::string& name, const Tuned& model) {
    Result<Client> client = daemon_->Connect();
    const Result<Model> opened = client->Open(name, {.variant = Variant::kTensors});
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    const std::string words = RandomLayer(99, model.words);
    ASSERT_EQ(opened->Tensor("embed.weight")->bytes.size(), words.size());
    EXPECT_EQ(std::memcmp(opened->Tensor("embed.weight")->bytes.data(), words.data(), words.size()),
              0);
    for (size_t i = 0; i < model.seeds.size(); ++i) {
      const auto tensor = opened->Tensor("layers." + std::to_string(i) + ".weight");
      ASSERT_TRUE(tensor.ok()) << tensor.status().ToString();
      const std::string layer = RandomLayer(model.seeds[i], kLongLayerBytes);
      EXPECT_EQ(std::memcmp(tensor->bytes.data(), layer.data(), layer.size()), 0) << i;
    }
  }
  static uint64_t OwnBytes(const nlohmann::json& added) {
    return added["variants"][0]["own_bytes"];
  }

  // Another vocabulary puts every layer elsewhere, by a length that is no multiple of a block.
  const Tuned base_{.words = 3'000'000, .seeds = {1, 2, 3, 4}};
  const Tuned tune_{.words = 3'100'000, .seeds = {1, 2, 33, 4}};
  const ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(LayersTest, LayersThatLieElsewhereAreShared) {
  ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  const nlohmann::json base = Add("base", base_, "layer");
  EXPECT_EQ(base["variants"][0]["granularity"], "layer");
  EXPECT_THAT(base["notes"].dump(), HasSubstr("bytes are left empty, so that layers begin"));
  const nlohmann::json tune = Add("tune", tune_, "layer");
  // The changed layer, the vocabulary, and the model's end, which is always its own.
  EXPECT_LT(OwnBytes(tune), 2 * kLaidLayerBytes + 3 * kShareBlockBytes);
  ASSERT_EQ(tune["shared_with"].size(), 1u) << tune.dump(2);
  EXPECT_GE(tune["shared_with"][0]["bytes"], 2 * kLaidLayerBytes);
  ExpectServes("base", base_);
  ExpectServes("tune", tune_);
}

TEST_F(LayersTest, ByBlockTheyAreNot) {
  ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  Add("base", base_, "block");
  EXPECT_GT(OwnBytes(Add("tune", tune_, "block")), kLayers * kLongLayerBytes);
  ExpectServes("tune", tune_);
}

TEST_F(LayersTest, WhatIsNoGranularityIsRefused) {
  ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  folder_.Write("base.safetensors", FileOf(base_));
  Admin admin = Admin::Connect({.socket_path = daemon_->socket(), .client_name = "test"}).value();
  const Status status = admin
                            .Add("base:1", "file://" + folder_.path() + "/base.safetensors",
                                 {.granularity = "tensor", .on_progress = {}})
                            .status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("expected model, block or layer"));
}

}  // namespace
}  // namespace trims::test
