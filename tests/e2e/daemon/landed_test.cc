// A file that nobody has pushed, added from a network as it is: it comes into memory and to the disk at once, so
// that the first open is a hit; and a daemon that is killed meanwhile goes on from what it has written.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "support/content.h"
#include "support/http_origin.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRange = size_t{8} << 20;
constexpr size_t kRanges = 6;
constexpr size_t kBytes = (kRanges - 1) * kRange + 4321;

int KillRounds() {
  const char* rounds = std::getenv("TRIMS_STORE_KILLS");
  return rounds == nullptr ? 4 : std::atoi(rounds);
}
uint32_t Seed() {
  const char* seed = std::getenv("TRIMS_STORE_SEED");
  return seed == nullptr ? std::random_device{}()
                         : static_cast<uint32_t>(std::strtoul(seed, nullptr, 10));
}

class LandedTest : public ::testing::Test {
 protected:
  LandedTest() {
    origin_.emplace([this](const OriginRequest& request) { return Answer(request); });
  }

  // From the `stalls_from_`-th range on nothing comes beyond the first bytes.
  OriginReply Answer(const OriginRequest& request) {
    const std::lock_guard lock(mutex_);
    OriginReply reply = ServeObject(request, content_, etag_);
    if (request.method != "GET" || request.Header("range").empty()) return reply;
    if (++gets_ > stalls_from_) {
      reply.stall_after = 100;
      stalled_ = true;
      stalled_.notify_all();
    }
    return reply;
  }
  int TakeGets() {
    const std::lock_guard lock(mutex_);
    return std::exchange(gets_, 0);
  }

  void StartDaemon(std::vector<std::string> arguments = {}) {
    arguments.insert(arguments.end(), {"--download-ranges", "1"});
    daemon_.reset();
    daemon_.emplace(folder_.path(), arguments);
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }
  Status Add() {
    Result<Admin> admin =
        Admin::Connect({.socket_path = daemon_->socket(), .client_name = "adder"});
    if (!admin.ok()) return admin.status();
    return admin->Add("m", origin_->url() + "/w.bin", {.variants = {Variant::kFiles}}).status();
  }
  void ExpectOpens(bool hit) {
    const auto misses = [this] { return daemon_->GetStatus()["counters"]["misses"].get<int>(); };
    const int before = misses();
    Result<Client> client = daemon_->Connect();
    ASSERT_TRUE(client.ok());
    const Result<Model> model = client->Open("m", {.variant = Variant::kFiles});
    ASSERT_TRUE(model.ok()) << model.status().ToString();
    const auto bytes = model->file(0).bytes;
    ASSERT_EQ(bytes.size(), content_.size());
    EXPECT_EQ(std::memcmp(bytes.data(), content_.data(), content_.size()), 0);
    EXPECT_EQ(misses() - before, hit ? 0 : 1);
  }
  // What was added is being handed to the keeper meanwhile.
  bool LandedIsThere() {
    Result<Client> client = daemon_->Connect();
    return client.ok() && client->Open("m", {.variant = Variant::kFiles}).ok();
  }
  std::string StateOnDisk() {
    Result<Admin> admin =
        Admin::Connect({.socket_path = daemon_->socket(), .client_name = "verifier"});
    return nlohmann::json::parse(admin->Verify("").value())["variants"][0]["state"];
  }
  // Once so many ranges have come whole; the next one is on its way.
  void KillAfter(int ranges) {
    stalled_ = false;
    stalls_from_ = ranges;
    std::thread adder([this] { EXPECT_EQ(Add().code(), StatusCode::kUnavailable); });
    stalled_.wait(false);
    WaitForJournal(ranges);
    daemon_->process().Signal(SIGKILL);
    adder.join();
    stalls_from_ = 1000;
  }
  // Of a file that is on its way: which ranges of it are on the disk.
  void WaitForJournal(int ranges) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (JournalLines() < ranges + 1) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << daemon_->Log();
    }
  }
  long JournalLines() const {
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "data/prepared")) {
      if (entry.path().extension() != ".ranges") continue;
      const std::string text = TextOf(entry.path());
      return std::count(text.begin(), text.end(), '\n');
    }
    return 0;
  }

  ScratchFolder folder_;
  std::string content_ = Content(kBytes);
  std::string etag_ = "\"v1\"";
  std::mutex mutex_;
  int gets_ = 0;
  std::atomic<int> stalls_from_ = 1000;
  std::atomic<bool> stalled_ = false;
  std::optional<HttpOrigin> origin_;
  std::optional<DaemonProcess> daemon_;
};

TEST_F(LandedTest, TheFirstOpenIsAHitAndTheDiskHasItToo) {
  StartDaemon();
  const Status added = Add();
  ASSERT_TRUE(added.ok()) << added.ToString() << daemon_->Log();
  EXPECT_EQ(TakeGets(), static_cast<int>(kRanges));
  ExpectOpens(/*hit=*/true);
  EXPECT_EQ(StateOnDisk(), "intact");
  const nlohmann::json host = daemon_->GetSettledStatus()["tiers"][0];
  EXPECT_GE(host["used_bytes"], kBytes);
  origin_.reset();
  StartDaemon();
  ExpectOpens(/*hit=*/false);
}

TEST_F(LandedTest, WhatLandedOutlivesTheDaemonAsWhatWasLoadedDoes) {
  StartDaemon({"--keeper", "process", "--keep-for", "10m"});
  ASSERT_TRUE(Add().ok());
  ASSERT_TRUE(LandedIsThere());
  daemon_->process().Signal(SIGKILL);
  daemon_->process().Wait();
  TakeGets();
  StartDaemon({"--keeper", "process", "--keep-for", "10m"});
  ExpectOpens(true);
  EXPECT_EQ(TakeGets(), 0);
  EXPECT_EQ(daemon_->GetStatus()["counters"]["taken_over"], 1);
  daemon_->process().Signal(SIGINT);  // which ends the keeper, too
  EXPECT_EQ(daemon_->process().Wait(), 0);
}

TEST_F(LandedTest, WithoutRoomInMemoryItComesToTheDisk) {
  StartDaemon({"--host-budget", "1MiB"});
  const Status added = Add();
  ASSERT_TRUE(added.ok()) << added.ToString();
  EXPECT_EQ(TakeGets(), static_cast<int>(kRanges));
  EXPECT_EQ(StateOnDisk(), "intact");
  StartDaemon();
  ExpectOpens(/*hit=*/false);
}

TEST_F(LandedTest, WhatFailsLeavesNoRoomTaken) {
  StartDaemon();
  stalls_from_ = 2;
  std::thread adder([this] { EXPECT_FALSE(Add().ok()); });
  stalled_.wait(false);
  origin_.reset();  // the server has gone
  adder.join();
  EXPECT_EQ(daemon_->GetSettledStatus()["tiers"][0]["used_bytes"], 0);
}

TEST_F(LandedTest, KilledAtAnyMomentItGoesOnAndNoByteIsWrong) {
  const uint32_t seed = Seed();
  SCOPED_TRACE("TRIMS_STORE_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < KillRounds(); ++round) {
    const int came = static_cast<int>(random() % kRanges);
    SCOPED_TRACE(std::to_string(came) + " ranges had come");
    StartDaemon();
    KillAfter(came);
    StartDaemon();
    TakeGets();
    const bool replaced = random() % 3 == 0;
    if (replaced) {
      content_ = Content(kBytes, static_cast<uint32_t>(random()));
      etag_ = "\"v" + std::to_string(random()) + "\"";
    }
    const Status added = Add();
    ASSERT_TRUE(added.ok()) << added.ToString();
    EXPECT_EQ(TakeGets(), static_cast<int>(kRanges) - (replaced ? 0 : came));
    ExpectOpens(/*hit=*/true);
    EXPECT_EQ(StateOnDisk(), "intact");
    Result<Admin> admin =
        Admin::Connect({.socket_path = daemon_->socket(), .client_name = "remover"});
    ASSERT_TRUE(admin->Remove("m").ok());
  }
}

}  // namespace
}  // namespace trims::test
