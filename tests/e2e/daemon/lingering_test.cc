// What goes from a real daemon's memory, and what does not: under pressure, and where a program keeps what it has mapped.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "base/macros.h"
#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

constexpr size_t kKeptModelBytes = size_t{6} << 20;
constexpr int kMostStatuses = 10'000;

class LingeringTest : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& arguments) {
    daemon_.emplace(folder_.path(), arguments);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  // Whether it has its model mapped and nothing of it open any more.
  static bool Keeps(ChildProcess* keeper) { return keeper->ReadByte(); }
  ChildProcess StartKeeper(const std::string& name, const std::string& tier = "host") {
    return ChildProcess::Start({CLIENT_PROGRAM, "keep", daemon_->socket(), name},
                               {"TEST_TIER=" + tier});
  }
  // The kernel tells of the end of a mapping some time after the process.
  nlohmann::json StatusOnceNothingLingers() {
    nlohmann::json status;
    for (int i = 0; i < kMostStatuses; ++i) {
      status = daemon_->GetSettledStatus();
      if (status["lingering"].empty()) break;
    }
    return status;
  }
  Result<Model> Open(const std::string& name, const std::string& tier = "host") {
    TRIMS_ASSIGN_OR_RETURN(Client client, daemon_->Connect());
    return client.Open(name, {.tier = tier});
  }

  const ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(LingeringTest, BytesThatAProgramKeepsAreNotFreeUntilItEnds) {
  Start({"--host-budget", "8MiB"});
  daemon_->AddFile("kept", kKeptModelBytes);
  daemon_->AddFile("next", kKeptModelBytes);
  ChildProcess keeper = StartKeeper("kept");
  ASSERT_TRUE(Keeps(&keeper));
  daemon_->GetStatus();  // its hang-up has been seen
  const Result<Model> refused = Open("next");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.status().message(), HasSubstr("linger, since programs still map them (pid " +
                                                    std::to_string(keeper.pid()) + ")"));
  const nlohmann::json status = daemon_->GetSettledStatus();
  ASSERT_EQ(status["lingering"].size(), 1u) << status.dump();
  const nlohmann::json lingering = status["lingering"][0];
  EXPECT_EQ(lingering["tier"], "host");
  EXPECT_EQ(lingering["bytes"], status["host"]["lingering_bytes"]);
  EXPECT_EQ(status["host"]["used_bytes"], status["host"]["lingering_bytes"]);
  ASSERT_EQ(lingering["kept_by"].size(), 1u) << lingering.dump();
  EXPECT_EQ(lingering["kept_by"][0]["pid"], keeper.pid());
  EXPECT_TRUE(lingering["kept_by"][0]["maps"]);
  EXPECT_EQ(lingering["last_leased_by"][0]["pid"], keeper.pid());
  keeper.Signal(SIGKILL);
  keeper.Wait();
  const nlohmann::json after = StatusOnceNothingLingers();
  EXPECT_EQ(after["lingering"].size(), 0u) << after.dump();
  EXPECT_EQ(after["host"]["used_bytes"], 0);
  const Result<Model> served = Open("next");
  EXPECT_TRUE(served.ok()) << served.status().ToString();
}

TEST_F(LingeringTest, OfASimulatedDeviceTheSame) {
  Start({"--host-budget", "64MiB", "--device", "sim:0,capacity=64MiB", "--device-budget", "8MiB"});
  daemon_->AddFile("kept", kKeptModelBytes);
  daemon_->AddFile("next", kKeptModelBytes);
  ChildProcess keeper = StartKeeper("kept", "sim:0");
  ASSERT_TRUE(Keeps(&keeper));
  daemon_->GetStatus();
  const Result<Model> refused = Open("next", "sim:0");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  keeper.Signal(SIGKILL);
  keeper.Wait();
  const Result<Model> served = Open("next", "sim:0");
  EXPECT_TRUE(served.ok()) << served.status().ToString();
}

TEST_F(LingeringTest, UnderMemoryPressureModelsThatNobodyUsesGo) {
  const std::string fifo = folder_ / "pressure";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Start({"--host-budget", "48MiB", "--pressure", fifo, "--pressure-floor", "10%"});
  for (const char* name : {"a", "b"}) {
    daemon_->AddFile(name, kKeptModelBytes);
    ASSERT_TRUE(Open(name).ok());
  }
  EXPECT_EQ(daemon_->GetSettledStatus()["pressure"]["file"], fifo);
  const UniqueFd kernel(::open(fifo.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(::write(kernel.get(), "..", 2), 2);
  const nlohmann::json status = daemon_->GetSettledStatus();
  EXPECT_EQ(status["pressure"]["events"], 2) << status.dump();
  EXPECT_EQ(status["segments"].size(), 1u) << "without the other less than the floor would be left";
}

TEST_F(LingeringTest, APressureFileThatIsNoneEndsTheStart) {
  const DaemonProcess daemon(folder_.path(), {"--pressure", folder_ / "none"});
  EXPECT_FALSE(daemon.ready());
  EXPECT_THAT(daemon.Log(), HasSubstr("--pressure: "));
}

TEST_F(LingeringTest, WhoHoldsARemovedModelForEverIsNamedAndBlocksNobody) {
  Start({"--host-budget", "16MiB"});
  daemon_->AddFile("held", kKeptModelBytes);
  daemon_->AddFile("next", kKeptModelBytes);
  ChildProcess holder = ChildProcess::Start({CLIENT_PROGRAM, "hold", daemon_->socket(), "held"});
  ASSERT_TRUE(holder.ReadByte());
  ASSERT_TRUE(Admin::Connect({.socket_path = daemon_->socket()}).value().Remove("held").ok());
  const nlohmann::json status = daemon_->GetStatus();
  ASSERT_EQ(status["segments"].size(), 1u);
  const nlohmann::json segment = status["segments"][0];
  EXPECT_TRUE(segment["removed"]);
  ASSERT_EQ(segment["holders"].size(), 1u) << segment.dump();
  EXPECT_EQ(segment["holders"][0]["pid"], holder.pid());
  EXPECT_EQ(status["host"]["leased_bytes"], segment["bytes"]);
  EXPECT_TRUE(Open("next").ok());
  holder.Signal(SIGKILL);
  holder.Wait();
  const nlohmann::json after = daemon_->GetSettledStatus();
  EXPECT_EQ(after["segments"].size(), 1u) << after.dump();
}

}  // namespace
}  // namespace trims::test
