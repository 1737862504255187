// Models that share most of their bytes, on a device: in a real daemon with simulated devices, and against the stand-in for a driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "base/granularity.h"
#include "base/macros.h"
#include "e2e/daemon/daemon_process.h"
#include "e2e/daemon/layered_model.h"
#include "support/children.h"
#include "support/cuda_standin.h"
#include "support/safetensors_file.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

class PiecesTest : public ::testing::Test {
 protected:
  void Start(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
    arguments.insert(arguments.begin(), {"--host-budget", "512MiB", "--keeper", "off"});
    daemon_.emplace(folder_.path(), arguments, environment);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  Admin Operator() const {
    return Admin::Connect({.socket_path = daemon_->socket(), .client_name = "operator"}).value();
  }
  void Add(const std::string& name, const std::vector<uint64_t>& seeds,
           const std::string& granularity = "block") {
    folder_.Write(name + ".safetensors", SafetensorsFile(seeds, kLayerBytes));
    const Status added =
        Operator()
            .Add(name + ":1", "file://" + folder_.path() + "/" + name + ".safetensors",
                 {.variants = {Variant::kFiles, Variant::kTensors},
                  .granularity = granularity,
                  .on_progress = {}})
            .status();
    ASSERT_TRUE(added.ok()) << added.ToString() << daemon_->Log();
  }
  void AddBaseAndTunes(const std::string& granularity = "block") {
    Add("base", kBase, granularity);
    Add("one", WithLayer(3, 103), granularity);
    Add("two", WithLayer(7, 107), granularity);
  }
  Result<Model> Open(const std::string& name, const std::string& tier,
                     Variant variant = Variant::kFiles) const {
    TRIMS_ASSIGN_OR_RETURN(Client client, daemon_->Connect());
    return client.Open(name, {.variant = variant, .tier = tier});
  }
  // All three, at the same time, with what two of them need of their own.
  void ExpectAllShareOn(const std::string& tier, Variant variant) {
    const Result<Model> base = Open("base", tier, variant);
    const Result<Model> one = Open("one", tier, variant);
    const Result<Model> two = Open("two", tier, variant);
    ASSERT_TRUE(base.ok()) << base.status().ToString() << daemon_->Log();
    ASSERT_TRUE(one.ok()) << one.status().ToString() << daemon_->Log();
    ASSERT_TRUE(two.ok()) << two.status().ToString() << daemon_->Log();
    ExpectLayers(*base, kBase);
    ExpectLayers(*one, WithLayer(3, 103));
    ExpectLayers(*two, WithLayer(7, 107));
    const nlohmann::json device = Tier("device:0", 3);
    EXPECT_LT(device["used_bytes"], kLayeredModelBytes + kShareBlockBytes + 2 * kOneLayerBytes);
    EXPECT_GT(device["saved_bytes"],
              2 * kLayeredModelBytes - kShareBlockBytes - 2 * kOneLayerBytes);
    EXPECT_LT(device["wasted_bytes"], 3 * kShareBlockBytes)
        << "each one's end, of less than a block";
    EXPECT_TRUE(Open("two", tier, variant)->info().hit);
  }
  nlohmann::json Tier(const std::string& name, size_t open = 0) {
    const nlohmann::json status = daemon_->GetSettledStatus(open);
    for (const nlohmann::json& tier : status["tiers"]) {
      if (tier["name"] == name) return tier;
    }
    return {};
  }

  const ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(PiecesTest, WhatIsEqualIsOnASimulatedDeviceOnce) {
  Start({"--device", "sim:0,capacity=128MiB"});
  AddBaseAndTunes();
  for (const Variant variant : {Variant::kFiles, Variant::kTensors}) {
    ExpectAllShareOn("sim:0", variant);
    for (const char* name : {"base", "one", "two"}) {
      daemon_->GetSettledStatus();
      ASSERT_TRUE(Operator().Evict(name, {.tier = "sim:0"}).ok());
    }
    EXPECT_EQ(Tier("device:0")["used_bytes"], 0);
  }
}

TEST_F(PiecesTest, LayersAreSharedThereToo) {
  Start({"--device", "sim:0,capacity=128MiB"});
  AddBaseAndTunes("layer");
  ExpectAllShareOn("sim:0", Variant::kFiles);
}

// It maps whole allocations alone, at multiples of 2 MiB.
TEST_F(PiecesTest, WhatIsEqualIsOnACudaDeviceOnce) {
  const CudaStandin standin;
  standin.Set("STANDIN_DEVICES", "1");
  standin.Set("STANDIN_MEMORY", std::to_string(128 << 20));
  Start({"--device", "cuda:0,driver=" + CudaStandin::Path()});
  AddBaseAndTunes();
  ::setenv("TRIMS_CUDA_LIBRARY", CUDA_STANDIN, 1);
  ExpectAllShareOn("cuda:0", Variant::kTensors);
  EXPECT_EQ(standin.Live(), 0);
  {
    const Result<Model> one = Open("one", "cuda:0");
    ASSERT_TRUE(one.ok()) << one.status().ToString();
    EXPECT_EQ(one->info().memory, HandleKind::kCudaDevice);
    ExpectLayers(*one, WithLayer(3, 103));
  }
  for (const char* call : {"cuMemImportFromShareableHandle", "cuMemMap", "cuMemSetAccess"}) {
    for (int nth = 1;; ++nth) {
      standin.Fail(call, nth, 2);  // out of memory
      const Status status = Open("one", "cuda:0").status();
      standin.Fail(call, 0, 0);
      if (status.ok()) break;
      EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << call << nth << status.ToString();
      EXPECT_EQ(standin.Live(), 0) << call << nth;
      ASSERT_LT(nth, 20);
    }
  }
  EXPECT_EQ(daemon_->GetSettledStatus()["leases"], 0);
  ::unsetenv("TRIMS_CUDA_LIBRARY");
}

// Whoever is given an allocation can't choose where it lies, so nothing is put together of several.
TEST_F(PiecesTest, ByLegacyCudaIpcWhatIsPutTogetherIsRefused) {
  const CudaStandin standin;
  Start({"--device", "cuda:0,export=ipc,driver=" + CudaStandin::Path()});
  Add("base", kBase);
  Add("one", WithLayer(3, 103));
  ::setenv("TRIMS_CUDA_LIBRARY", CUDA_STANDIN, 1);
  const Result<Model> base = Open("base", "cuda:0");
  ASSERT_TRUE(base.ok()) << base.status().ToString() << daemon_->Log();
  ExpectLayers(*base, kBase);
  const Status one = Open("one", "cuda:0").status();
  EXPECT_EQ(one.code(), StatusCode::kUnimplemented) << one.ToString();
  EXPECT_THAT(one.ToString(), HasSubstr("granularity 'model'"));
  const std::string explained = Operator().Explain("one", {.tier = "cuda:0"}).value();
  EXPECT_THAT(explained, HasSubstr("is put together of parts")) << "as the open says";
  ::unsetenv("TRIMS_CUDA_LIBRARY");
}

TEST_F(PiecesTest, ProcessesMapTheSamePieces) {
  Start({"--device", "sim:0,capacity=128MiB"});
  AddBaseAndTunes();
  const std::vector<std::string> command = {CLIENT_PROGRAM, "digest", daemon_->socket(), "one"};
  ChildProcess a = ChildProcess::Start(command, {"TEST_TIER=sim:0"});
  ChildProcess b = ChildProcess::Start(command, {"TEST_TIER=sim:0"});
  ChildProcess host = ChildProcess::Start(command);
  const std::string said = a.ReadAll();
  EXPECT_FALSE(said.empty());
  EXPECT_EQ(said, b.ReadAll());
  EXPECT_EQ(said, host.ReadAll()) << "byte for byte what the host has";
  EXPECT_LT(Tier("device:0")["used_bytes"], kLayeredModelBytes + 2 * kShareBlockBytes);
}

TEST_F(PiecesTest, ABaseThatWasThereWholeIsCutOnceNobodyHasIt) {
  Start({"--device", "sim:0,capacity=256MiB"});
  Add("base", kBase);
  Result<Model> base = Open("base", "sim:0");
  ASSERT_TRUE(base.ok());
  Add("one", WithLayer(3, 103));
  const Result<Model> one = Open("one", "sim:0");
  ASSERT_TRUE(one.ok()) << one.status().ToString();
  ExpectLayers(*one, WithLayer(3, 103));
  EXPECT_TRUE(Open("base", "sim:0")->info().hit);
  const uint64_t wasted = Tier("device:0", 2)["wasted_bytes"];
  EXPECT_GT(wasted, kLayeredModelBytes - kOneLayerBytes);
  ExpectLayers(*base, kBase);
  base->Close();
  EXPECT_LT(Tier("device:0", 1)["wasted_bytes"], kShareBlockBytes);
  base = Open("base", "sim:0");
  ASSERT_TRUE(base.ok());
  ExpectLayers(*base, kBase);
  EXPECT_LT(Tier("device:0", 2)["used_bytes"],
            kLayeredModelBytes + kShareBlockBytes + kOneLayerBytes);
}

TEST_F(PiecesTest, FromOneDeviceToAnotherGoPiecesThatAreThere) {
  Start({"--device", "sim:0,capacity=128MiB", "--device", "sim:1,capacity=128MiB", "--host-copy",
         "drop"});
  AddBaseAndTunes();
  ASSERT_TRUE(Open("one", "sim:0").ok());
  EXPECT_EQ(Tier("host")["used_bytes"], 0) << daemon_->Log();
  const nlohmann::json explained = nlohmann::json::parse(
      Operator().Explain("one", {.tier = "sim:1", .variants = {Variant::kFiles}}).value());
  EXPECT_EQ(explained["served_from"], "device:0") << explained.dump(2);
  const Result<Model> one = Open("one", "sim:1");
  ASSERT_TRUE(one.ok()) << one.status().ToString();
  ExpectLayers(*one, WithLayer(3, 103));
  EXPECT_EQ(Tier("host", 1)["used_bytes"], 0);
}

TEST_F(PiecesTest, EachFailureOfTheDeviceIsTypedAndTheHostHasTheModel) {
  Start({});
  AddBaseAndTunes();
  for (const char* op : {"device_allocate", "device_copy", "device_export"}) {
    for (const char* nth : {"1", "2", "3"}) {
      daemon_.reset();
      Start({"--device", "sim:0,capacity=128MiB", "--allow-fault-injection"},
            {std::string("TRIMS_FAULT=") + op + ":" + nth + ":5"});
      EXPECT_EQ(Open("one", "sim:0").status().code(), StatusCode::kInternal) << op << nth;
      EXPECT_EQ(daemon_->GetSettledStatus()["leases"], 0);
      const Result<Model> host = Open("one", "");
      ASSERT_TRUE(host.ok()) << op << nth;
      ExpectLayers(*host, WithLayer(3, 103));
      const Result<Model> again = Open("one", "sim:0");
      ASSERT_TRUE(again.ok()) << op << nth << again.status().ToString();
      ExpectLayers(*again, WithLayer(3, 103));
    }
  }
}

TEST_F(PiecesTest, WhatHasNoRoomIsRefusedWithTheNumbers) {
  Start({"--device", "sim:0,capacity=64MiB", "--device-budget", "44MiB"});
  AddBaseAndTunes();
  const Result<Model> base = Open("base", "sim:0");
  ASSERT_TRUE(base.ok()) << base.status().ToString();
  const Status status = Open("one", "sim:0").status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("no room for model 'default/one:1'"));
  EXPECT_EQ(Tier("device:0", 1)["idle_bytes"], 0);
}

}  // namespace
}  // namespace trims::test
