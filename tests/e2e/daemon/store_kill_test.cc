// The daemon is killed at random moments of adding, replacing, removing, pushing and verifying. After each: what
// was said to be added opens with its own bytes, nothing half-published is seen, and no space is lost.
// TRIMS_STORE_KILLS=300 makes it long; TRIMS_STORE_SEED repeats a failure.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

namespace fs = std::filesystem;

constexpr size_t kContentBytes = size_t{3} << 20;
constexpr int kContents = 4;
constexpr int kNames = 3;

unsigned FromEnvironment(const char* name, unsigned otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

class StoreKillTest : public ::testing::Test {
 protected:
  StoreKillTest() {
    for (int i = 0; i < kContents; ++i) {
      contents_.push_back(std::string(kContentBytes, static_cast<char>('a' + i)));
      sources_.push_back("file://" +
                         folder_.Write("source-" + std::to_string(i), contents_.back()));
    }
  }

  // What one operator does until the daemon is gone: at random, over and over.
  void Operate(unsigned seed) {
    std::mt19937 random(seed);
    Result<Admin> admin =
        Admin::Connect({.socket_path = daemon_->socket(), .client_name = "operator"});
    if (!admin.ok()) return;
    for (Status status; status.code() != StatusCode::kUnavailable;) {
      const std::string name = "m" + std::to_string(random() % kNames);
      switch (random() % 8) {
        case 0:
          status = admin->Remove(name).status();
          if (status.ok()) added_.erase(name);
          if (status.code() == StatusCode::kUnavailable) unsure_.insert(name);
          break;
        case 1:
          status = admin->Verify("").status();
          break;
        case 2:
          status = admin->Push(name, "file://" + (folder_ / "pushed")).status();
          break;
        default:
          status = Add(&*admin, name, static_cast<int>(random() % kContents));
      }
    }
  }

  Status Add(Admin* admin, const std::string& name, int content) {
    const Status status = admin
                              ->Add(name, sources_[static_cast<size_t>(content)],
                                    {.variants = {Variant::kFiles}, .on_progress = {}})
                              .status();
    if (status.ok()) added_[name].insert(content);
    if (status.code() == StatusCode::kUnavailable) unsure_.insert(name);
    return status;
  }

  // All that the catalog has opens, and is one of the contents; what was said to be added is there.
  void ExpectAllIntact() {
    Result<Admin> admin =
        Admin::Connect({.socket_path = daemon_->socket(), .client_name = "check"});
    ASSERT_TRUE(admin.ok());
    Result<Client> client = daemon_->Connect();
    ASSERT_TRUE(client.ok());
    std::map<std::string, std::set<int>> found;
    const nlohmann::json listed = nlohmann::json::parse(admin->List().value());
    for (const nlohmann::json& listed_model : listed["models"]) {
      const std::string reference = listed_model["reference"];
      const Result<Model> model = client->Open(reference);
      ASSERT_TRUE(model.ok()) << reference << " " << model.status().ToString();
      const auto bytes = model->file(0).bytes;
      const int content = static_cast<char>(bytes[0]) - 'a';
      ASSERT_TRUE(content >= 0 && content < kContents);
      const std::string& expected = contents_[static_cast<size_t>(content)];
      ASSERT_EQ(bytes.size(), expected.size());
      ASSERT_EQ(std::memcmp(bytes.data(), expected.data(), expected.size()), 0) << reference;
      const std::string name = listed_model["name"];
      found[name.substr(name.find('/') + 1)].insert(content);
    }
    for (const auto& [name, contents] : added_) {
      if (unsure_.contains(name)) continue;
      EXPECT_EQ(found[name], contents) << name;
    }
    const nlohmann::json verified = nlohmann::json::parse(admin->Verify("").value());
    for (const nlohmann::json& variant : verified["variants"])
      EXPECT_EQ(variant["state"], "intact");
    added_ = std::move(found);
    unsure_.clear();
  }

  // A folder for each content that an entry has, and nothing else, once the daemon has ended and done
  // what it had to do.
  void ExpectNothingLost() {
    daemon_->process().Signal(SIGTERM);
    EXPECT_EQ(daemon_->process().Wait(), 0) << daemon_->Log();
    std::set<int> contents;
    for (const auto& [name, of_name] : added_) contents.insert(of_name.begin(), of_name.end());
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_ / "data/prepared")) {
      EXPECT_NE(entry.path().filename().string().front(), '.') << entry.path();
      names.insert(entry.path().filename().string());
    }
    EXPECT_EQ(names.size(), contents.size());
  }

  ScratchFolder folder_;
  std::vector<std::string> contents_;
  std::vector<std::string> sources_;
  std::map<std::string, std::set<int>> added_;  // by name: what was said to be there
  std::set<std::string> unsure_;                // names of which the last answer was lost
  std::optional<DaemonProcess> daemon_;
};

TEST_F(StoreKillTest, NothingIsLostAndNothingIsHalf) {
  const unsigned seed = FromEnvironment("TRIMS_STORE_SEED", 20261126);
  const unsigned kills = FromEnvironment("TRIMS_STORE_KILLS", 25);
  std::cout << "TRIMS_STORE_SEED=" << seed << " TRIMS_STORE_KILLS=" << kills << '\n';
  std::mt19937 random(seed);
  for (unsigned kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill));
    daemon_.emplace(folder_.path());
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
    std::thread operates([this, seed = random()] { Operate(static_cast<unsigned>(seed)); });
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 120'000);
    while (std::chrono::steady_clock::now() < end) {
    }
    daemon_->process().Signal(SIGKILL);
    operates.join();
    ASSERT_EQ(daemon_->process().Wait(), 128 + SIGKILL);
    daemon_.emplace(folder_.path());
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
    ASSERT_NO_FATAL_FAILURE(ExpectAllIntact());
    ExpectNothingLost();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace trims::test
