// Pins and aliases of a real daemon that is killed, restarted and told what to load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr size_t kPinnedModelBytes = size_t{1} << 20;

class DaemonControlTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& arguments = {},
             const std::vector<std::string>& environment = {}) {
    daemon_.reset();
    daemon_.emplace(folder_.path(), arguments, environment);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  Admin ConnectAdmin() const { return Admin::Connect({.socket_path = daemon_->socket()}).value(); }
  void Kill() {
    daemon_->process().Signal(SIGKILL);
    EXPECT_EQ(daemon_->process().Wait(), 128 + SIGKILL);
  }
  nlohmann::json SegmentOf(const std::string& name) {
    const nlohmann::json status = daemon_->GetSettledStatus();
    for (const nlohmann::json& segment : status["segments"]) {
      const std::string reference = segment["reference"];
      if (reference.starts_with("default/" + name + ":")) return segment;
    }
    return {{"state", "absent"}};
  }
  // The version that an open of `reference` gets.
  std::string Opened(const std::string& reference) {
    Result<Client> client = daemon_->Connect();
    if (!client.ok()) return client.status().ToString();
    const Result<Model> model = client->Open(reference);
    return model.ok() ? model->info().reference : model.status().ToString();
  }

  const ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(DaemonControlTest, APinIsLoadedAgainByTheNextDaemonAlsoOfOneThatWasKilled) {
  Start({"--reclaim", "eager"});
  daemon_->AddFile("kept", kPinnedModelBytes);
  daemon_->AddFile("other", kPinnedModelBytes);
  ASSERT_TRUE(ConnectAdmin().Pin("kept").ok());
  EXPECT_EQ(SegmentOf("kept")["state"], "resident");
  Kill();
  Start({"--reclaim", "eager", "--preload", "other", "--preload", "none-such"});
  EXPECT_EQ(SegmentOf("kept")["state"], "resident");
  EXPECT_TRUE(SegmentOf("kept")["pinned"]);
  EXPECT_EQ(SegmentOf("other")["state"], "absent") << "nothing is kept that nobody holds";
  EXPECT_THAT(daemon_->Log(), ::testing::HasSubstr("none-such"));
  ASSERT_TRUE(ConnectAdmin().Unpin("kept").ok());
  EXPECT_EQ(SegmentOf("kept")["state"], "absent");
}

TEST_F(DaemonControlTest, WhatIsKeptForAWhileGoesAfterItAlsoWithTheNextDaemon) {
  Start();
  daemon_->AddFile("brief", kPinnedModelBytes);
  daemon_->AddFile("other", kPinnedModelBytes);
  ASSERT_TRUE(ConnectAdmin().KeepAlive("brief", "20ms").ok());
  Kill();
  Start();
  std::optional<Admin> admin = ConnectAdmin();
  const nlohmann::json from = nlohmann::json::parse(admin->Events({.wait = {}}).value());
  Opened("other");
  Opened("brief");
  const Result<std::string> gone = admin->Events({.since = from["next"].get<uint64_t>(),
                                                  .kinds = {"segment.reclaimed"},
                                                  .wait = std::chrono::seconds(20)});
  ASSERT_TRUE(gone.ok()) << gone.status().ToString();
  const nlohmann::json event = nlohmann::json::parse(*gone)["events"].at(0);
  EXPECT_THAT(event["model"].get<std::string>(), ::testing::StartsWith("default/brief:"));
  EXPECT_EQ(event["reason"], "keep_alive");
  admin.reset();
  EXPECT_EQ(SegmentOf("other")["state"], "resident");
}

TEST_F(DaemonControlTest, WhatIsToBeLoadedAtTheStartIs) {
  Start();
  daemon_->AddFile("first", kPinnedModelBytes);
  ASSERT_TRUE(ConnectAdmin().SetAlias("prod", "first").ok());
  Kill();
  Start({"--preload", "prod"});
  EXPECT_EQ(SegmentOf("first")["state"], "resident");
  EXPECT_FALSE(SegmentOf("first")["pinned"]);
}

// At each of the points at which a change of the catalog can be stopped: what the alias means is what it
// meant before, or after, and the model is there.
TEST_F(DaemonControlTest, ADaemonThatIsKilledInTheMiddleOfAMoveLeavesTheAliasBeforeOrAfterIt) {
  Start();
  daemon_->AddFile("old", kPinnedModelBytes);
  daemon_->AddFile("new", kPinnedModelBytes);
  const std::string before = Opened("old");
  const std::string after = Opened("new");
  ASSERT_TRUE(ConnectAdmin().SetAlias("prod", "old").ok());
  constexpr int kPointsOfAChange = 3;
  for (int nth = 1; nth <= kPointsOfAChange; ++nth) {
    Start({"--allow-fault-injection"}, {"TRIMS_FAULT=database:" + std::to_string(nth) + ":stop"});
    ASSERT_EQ(Opened("prod"), before);
    Status moved;
    std::thread mover([&] { moved = ConnectAdmin().SetAlias("prod", "new").status(); });
    EXPECT_TRUE(daemon_->process().WaitStop()) << "it never came to point " << nth;
    Kill();
    mover.join();
    EXPECT_FALSE(moved.ok()) << "answered before it was done";
    Start();
    const std::string meant = Opened("prod");
    EXPECT_TRUE(meant == before || meant == after) << meant;
    ASSERT_TRUE(ConnectAdmin().SetAlias("prod", "old").ok());
  }
  ASSERT_TRUE(ConnectAdmin().SetAlias("prod", "new").ok());
  EXPECT_EQ(Opened("prod"), after);
  Kill();
  Start();
  EXPECT_EQ(Opened("prod"), after);
  ASSERT_TRUE(ConnectAdmin().Rollback("prod").ok());
  EXPECT_EQ(Opened("prod"), before);
}

TEST_F(DaemonControlTest, ADrainedDaemonServesAgainWhenItIsToldOrStartedAnew) {
  Start();
  daemon_->AddFile("one", kPinnedModelBytes);
  ASSERT_TRUE(ConnectAdmin().Drain().ok());
  EXPECT_THAT(Opened("one"), ::testing::HasSubstr("UNAVAILABLE"));
  ASSERT_TRUE(ConnectAdmin().Drain({.on = false}).ok());
  EXPECT_THAT(Opened("one"), ::testing::HasSubstr("default/one"));
  ASSERT_TRUE(ConnectAdmin().Drain({.wait = true}).ok());
  Kill();
  Start();
  EXPECT_THAT(Opened("one"), ::testing::HasSubstr("default/one"));
}

}  // namespace
}  // namespace trims::test
