// A real load that goes on step by step: each read of the daemon's waits until this test lets it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

constexpr size_t kSlowModelBytes = size_t{48} << 20;
constexpr size_t kStepsSeen = 3;

class SlowLoadTest : public ::testing::Test {
 protected:
  void SetUp() override {
    daemon_.emplace(folder_.path(),
                    std::vector<std::string>{"--allow-fault-injection", "--read-engine", "pread"},
                    std::vector<std::string>{"TRIMS_FAULT=read:1:hold=" + fifo_ + ":1000000"});
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
    daemon_->AddFile("slow", kSlowModelBytes);
    ASSERT_EQ(::mkfifo(fifo_.c_str(), 0600), 0);
  }
  void TearDown() override { LetGo(); }

  // The reads that wait now, if any do.
  void LetStep() const { UniqueFd(::open(fifo_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)); }
  void LetGo() { let_go_.reset(::open(fifo_.c_str(), O_RDWR | O_CLOEXEC)); }

  nlohmann::json LoadInStatus() {
    const nlohmann::json status = daemon_->GetStatus();
    for (const nlohmann::json& segment : status["segments"]) {
      if (segment.contains("load")) return segment["load"];
    }
    return {};
  }

  const ScratchFolder folder_;
  const std::string fifo_ = folder_ / "fifo";
  UniqueFd let_go_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(SlowLoadTest, TheCallerAndTheStatusSeeItRise) {
  std::vector<uint64_t> rising;
  nlohmann::json in_status;
  OpenOptions options;
  options.progress = [&](const LoadProgress& load) {
    EXPECT_EQ(load.tier, "host");
    EXPECT_EQ(load.bytes_total, kSlowModelBytes);
    if (rising.empty() || load.bytes_done > rising.back()) rising.push_back(load.bytes_done);
    if (rising.size() <= kStepsSeen) return LetStep(), true;
    if (let_go_) return true;
    EXPECT_GT(load.bytes_per_second, 0u);
    EXPECT_TRUE(load.remaining);
    in_status = LoadInStatus();
    LetGo();
    return true;
  };
  Result<Client> client = daemon_->Connect();
  ASSERT_TRUE(client.ok());
  const Result<Model> model = client->Open("slow", options);
  ASSERT_TRUE(model.ok()) << model.status().ToString() << daemon_->Log();
  EXPECT_GT(rising.size(), kStepsSeen);
  EXPECT_EQ(rising.front(), 0u);
  EXPECT_EQ(in_status["bytes_total"], kSlowModelBytes);
  EXPECT_GE(in_status["bytes_done"], rising.at(kStepsSeen));
  EXPECT_GT(in_status["remaining_ms"], 0);
}

TEST_F(SlowLoadTest, WhoGivesUpLeavesTheLoadToOthersAndHasNoLease) {
  LetGo();
  daemon_->AddFile("held", 4096);
  Result<Client> client = daemon_->Connect();
  ASSERT_TRUE(client.ok());
  const Result<Model> held = client->Open("held");  // keeps the connection
  ASSERT_TRUE(held.ok());
  let_go_.reset();
  OpenOptions options;
  options.progress = [](const LoadProgress&) { return false; };
  EXPECT_EQ(client->Open("slow", options).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(daemon_->GetStatus()["loads_in_flight"], 1);
  LetGo();
  {
    const Result<Model> model = client->Open("slow");
    ASSERT_TRUE(model.ok()) << model.status().ToString();
  }
  const nlohmann::json status = daemon_->GetStatus();
  EXPECT_EQ(status["counters"]["loads"], 2);
  EXPECT_EQ(status["leases"], 1);
}

}  // namespace
}  // namespace trims::test
