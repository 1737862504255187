// Models that share most of their bytes share the memory and the disk, and are what they are: whatever comes and goes of those that
// they share with.
#include "base/granularity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "e2e/daemon/layered_model.h"
#include "support/safetensors_file.h"
#include "support/scratch_folder.h"
#include "wire/channel.h"
#include "wire/reply.h"
#include "wire/request.h"

namespace trims::test {
namespace {

class GranularityTest : public ::testing::TestWithParam<Variant> {
 protected:
  GranularityTest() { Start(); }

  void Start(std::vector<std::string> arguments = {}) {
    if (std::ranges::find(arguments, "--keeper") == arguments.end())
      arguments.insert(arguments.begin(), {"--keeper", "off"});
    arguments.insert(arguments.begin(), {"--host-budget", "512MiB"});
    daemon_.emplace(folder_.path(), arguments);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  void Restart(int signal, const std::vector<std::string>& arguments = {}) {
    daemon_->process().Signal(signal);
    daemon_->process().Wait();
    daemon_.reset();
    Start(arguments);
  }

  Admin Operator() const {
    ClientOptions options;
    options.socket_path = daemon_->socket();
    return std::move(Admin::Connect(options)).value();
  }

  std::string PathOf(const std::string& name) const {
    return folder_.path() + "/" + name + ".safetensors";
  }
  Status Add(const std::string& name, const std::vector<uint64_t>& seeds,
             const std::string& granularity = "block") {
    folder_.Write(name + ".safetensors", SafetensorsFile(seeds, kLayerBytes));
    return AddAgain(name, granularity);
  }
  Status AddAgain(const std::string& name, const std::string& granularity) {
    const std::string file = name.substr(name.find('/') + 1);
    return Operator()
        .Add(name + ":1", "file://" + PathOf(file),
             {.variants = {GetParam()}, .granularity = granularity, .on_progress = {}})
        .status();
  }
  void AddBaseAndTunes() {
    ASSERT_TRUE(Add("base", kBase).ok()) << daemon_->Log();
    ASSERT_TRUE(Add("one", WithLayer(3, 103)).ok()) << daemon_->Log();
    ASSERT_TRUE(Add("two", WithLayer(7, 107)).ok()) << daemon_->Log();
  }

  Result<Model> Open(const std::string& name) const {
    Result<Client> client = daemon_->Connect();
    if (!client.ok()) return client.status();
    return client->Open(name, {.variant = GetParam()});
  }
  void ExpectServes(const std::string& name, const std::vector<uint64_t>& seeds) {
    const Result<Model> model = Open(name);
    ASSERT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
    ExpectLayers(*model, seeds);
  }

  // With so many models open.
  uint64_t HostBytes(size_t open = 0) {
    return daemon_->GetSettledStatus(open)["host"]["used_bytes"];
  }
  uint64_t DiskBytes() { return daemon_->GetStatus()["prepared_bytes"]; }
  uint64_t Counter(const char* name) { return daemon_->GetStatus()["counters"][name]; }

  const ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;
};

TEST_P(GranularityTest, WhatIsEqualLiesInMemoryAndOnTheDiskOnce) {
  AddBaseAndTunes();
  const Result<Model> base = Open("base");
  const Result<Model> one = Open("one");
  const Result<Model> two = Open("two");
  ASSERT_TRUE(base.ok() && one.ok() && two.ok()) << daemon_->Log();
  ExpectLayers(*base, kBase);
  ExpectLayers(*one, WithLayer(3, 103));
  ExpectLayers(*two, WithLayer(7, 107));
  EXPECT_EQ(daemon_->GetStatus()["leases"], 3);
  EXPECT_GT(HostBytes(3), kLayeredModelBytes + 2 * kLayerBytes);
  EXPECT_LT(HostBytes(3), kLayeredModelBytes + 2 * kOneLayerBytes);
  EXPECT_LT(DiskBytes(), kLayeredModelBytes + 2 * kOneLayerBytes);
  const nlohmann::json status = daemon_->GetStatus();
  EXPECT_GT(status["host"]["saved_bytes"],
            3 * kLayeredModelBytes - kLayeredModelBytes - 2 * kOneLayerBytes);
  const nlohmann::json shown = nlohmann::json::parse(Operator().Show("one").value());
  EXPECT_LT(shown["variants"][0]["own_bytes"], kOneLayerBytes);
  EXPECT_EQ(shown["variants"][0]["granularity"], "block");
  ASSERT_EQ(shown["shared_with"].size(), 2u) << shown.dump(2);
  EXPECT_EQ(shown["shared_with"][0]["reference"], "default/base:1");
  EXPECT_GT(shown["shared_with"][0]["bytes"], kLayeredModelBytes - kOneLayerBytes);
}

TEST_P(GranularityTest, AnOpenIsOneMissOrHitWhateverItsParts) {
  AddBaseAndTunes();
  ExpectServes("one", WithLayer(3, 103));
  EXPECT_EQ(Counter("misses"), 1);
  EXPECT_EQ(Counter("hits"), 0);
  ExpectServes("one", WithLayer(3, 103));
  EXPECT_EQ(Counter("hits"), 1);
  ExpectServes("base", kBase);  // it came along
  EXPECT_EQ(Counter("hits"), 2);
  EXPECT_EQ(Counter("opens"), 3);
}

TEST_P(GranularityTest, WithoutItsBaseAModelIsWhole) {
  AddBaseAndTunes();
  ASSERT_TRUE(Operator().Remove("base").ok());
  std::filesystem::remove(PathOf("base"));
  std::filesystem::remove(PathOf("one"));
  ExpectServes("one", WithLayer(3, 103));
  Restart(SIGKILL);
  EXPECT_EQ(HostBytes(), 0);
  ExpectServes("one", WithLayer(3, 103));
  ExpectServes("two", WithLayer(7, 107));
  // One that comes now finds what the base has left.
  ASSERT_TRUE(Add("three", WithLayer(0, 100)).ok()) << daemon_->Log();
  ExpectServes("three", WithLayer(0, 100));
  EXPECT_LT(DiskBytes(), kLayeredModelBytes + 3 * kOneLayerBytes);
  for (const char* name : {"one", "two", "three"}) ASSERT_TRUE(Operator().Remove(name).ok());
  EXPECT_EQ(HostBytes(), 0);
  EXPECT_EQ(DiskBytes(), 0) << daemon_->Log();
}

TEST_P(GranularityTest, EvictionSparesWhatOthersUse) {
  AddBaseAndTunes();
  Result<Model> one = Open("one");
  ExpectServes("two", WithLayer(7, 107));
  ASSERT_TRUE(one.ok());
  ASSERT_TRUE(Operator().Evict("two").ok());
  EXPECT_LT(HostBytes(1), kLayeredModelBytes + kOneLayerBytes);
  EXPECT_EQ(Operator().Evict("base").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Operator().Evict("one").status().code(), StatusCode::kFailedPrecondition);
  ExpectLayers(*one, WithLayer(3, 103));
  one->Close();
  daemon_->GetSettledStatus();
  ASSERT_TRUE(Operator().Evict("one").ok());
  EXPECT_EQ(HostBytes(), 0);
}

TEST_P(GranularityTest, ADefaultStandsWhereNothingIsSaid) {
  Restart(SIGTERM, {"--granularity", "block"});
  ASSERT_TRUE(Add("base", kBase, "").ok());
  ASSERT_TRUE(Add("one", WithLayer(3, 103), "").ok());
  EXPECT_LT(DiskBytes(), kLayeredModelBytes + kOneLayerBytes);
  ASSERT_TRUE(Add("two", WithLayer(7, 107), "model").ok());
  EXPECT_EQ(AddAgain("two", "tensor").code(), StatusCode::kInvalidArgument);
  ExpectServes("one", WithLayer(3, 103));
  ExpectServes("two", WithLayer(7, 107));
}

TEST_P(GranularityTest, AcrossNamespacesNothingIsShared) {
  ASSERT_TRUE(Add("base", kBase).ok());
  folder_.Write("one.safetensors", SafetensorsFile(WithLayer(3, 103), kLayerBytes));
  ASSERT_TRUE(AddAgain("team/one", "block").ok()) << daemon_->Log();
  EXPECT_GT(DiskBytes(), 2 * kLayeredModelBytes);
}

TEST_P(GranularityTest, WhatIsDamagedIsMended) {
  AddBaseAndTunes();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (entry.path().filename() != "part") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(12345);
    file.put('!');
  }
  EXPECT_EQ(Open("one").status().code(), StatusCode::kDataLoss);
  const Result<std::string> verified = Operator().Verify("");
  ASSERT_TRUE(verified.ok()) << verified.status().ToString();
  const nlohmann::json document = nlohmann::json::parse(*verified);
  for (const auto& variant : document["variants"]) EXPECT_EQ(variant["state"], "mended") << variant;
  Restart(SIGTERM);
  ExpectServes("base", kBase);
  ExpectServes("one", WithLayer(3, 103));
  ExpectServes("two", WithLayer(7, 107));
  EXPECT_LT(DiskBytes(), kLayeredModelBytes + 2 * kOneLayerBytes);
}

TEST_P(GranularityTest, WhatIsDamagedAndNobodysIsMendedByWhoBorrowsIt) {
  AddBaseAndTunes();
  ASSERT_TRUE(Operator().Remove("base").ok());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (entry.path().filename() != "part" || entry.file_size() < kLayeredModelBytes / 2) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(12345);
    file.put('!');
  }
  ASSERT_TRUE(Operator().Verify("").ok());
  Restart(SIGTERM);
  ExpectServes("one", WithLayer(3, 103));
}

TEST_P(GranularityTest, AClientThatKnowsNoRunsIsRefused) {
  AddBaseAndTunes();
  Result<UniqueFd> socket = wire::ConnectTo(daemon_->socket());
  ASSERT_TRUE(socket.ok());
  wire::RequestEncoder encoder;
  for (const bool runs : {false, true}) {
    ASSERT_TRUE(wire::SendFrame(socket->get(),
                                encoder.Encode({.id = 1,
                                                .client = "old",
                                                .body = wire::OpenRequest{.reference = "one",
                                                                          .variant = GetParam(),
                                                                          .runs = runs}}),
                                {})
                    .ok());
    wire::Reply reply;
    wire::Frame frame;
    do {
      ASSERT_TRUE(wire::ReceiveFrame(socket->get(), 60'000, &frame).ok());
      ASSERT_TRUE(wire::DecodeReply(frame.bytes, &reply).ok());
    } while (std::holds_alternative<wire::WaitingReply>(reply.body));
    EXPECT_EQ(std::holds_alternative<wire::OpenReply>(reply.body), runs);
    if (!runs) {
      EXPECT_EQ(std::get<Status>(reply.body).code(), StatusCode::kUnimplemented);
    }
  }
}

TEST_P(GranularityTest, WhatIsPutTogetherCanNotBePushed) {
  AddBaseAndTunes();
  EXPECT_EQ(Operator().Push("one", "file://" + folder_.path() + "/out").status().code(),
            StatusCode::kUnimplemented);
  EXPECT_TRUE(Operator().Push("base", "file://" + folder_.path() + "/out").ok());
}

TEST_P(GranularityTest, WhatTheDaemonBeforeLoadedIsTakenOverPartByPart) {
  Restart(SIGTERM, {"--keeper", "process"});
  AddBaseAndTunes();
  Result<Model> one = Open("one");
  ASSERT_TRUE(one.ok());
  const uint64_t before = HostBytes(1);
  Restart(SIGKILL, {"--keeper", "process"});
  EXPECT_EQ(HostBytes(), before);
  EXPECT_EQ(Counter("loads"), 0);
  ExpectLayers(*one, WithLayer(3, 103));
  const Result<Model> again = Open("one");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->info().hit);
  ExpectLayers(*again, WithLayer(3, 103));
  daemon_->process().Signal(SIGINT);  // which lets go of what is kept
  daemon_->process().Wait();
}

INSTANTIATE_TEST_SUITE_P(Variants, GranularityTest,
                         ::testing::Values(Variant::kFiles, Variant::kTensors),
                         [](const auto& info) { return std::string(VariantName(info.param)); });

}  // namespace
}  // namespace trims::test
