// Several operators change the same models of a real daemon at once, in whatever order the threads
// happen to run: each is answered as if it had been alone, and what the daemon lists, what can be
// opened and what lies on disk agree, before a restart and after it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <latch>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "e2e/daemon/daemon_process.h"
#include "support/scratch_folder.h"

namespace trims::test {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;

constexpr int kRounds = 6;
constexpr size_t kSmallModelBytes = 100'000;

// Runs all of `calls`, each on a thread of its own, which are let go together.
void AtOnce(const std::vector<std::function<void()>>& calls) {
  std::latch start(static_cast<std::ptrdiff_t>(calls.size()));
  std::vector<std::thread> threads;
  for (const std::function<void()>& call : calls) {
    threads.emplace_back([&start, &call] {
      start.arrive_and_wait();
      call();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class AtOnceTest : public ::testing::Test {
 protected:
  AtOnceTest() { StartDaemon(); }

  void StartDaemon() {
    daemon_.emplace(folder_.path());
    ASSERT_TRUE(daemon_->ready()) << daemon_->Log();
  }

  // A file of `byte`s; returns its URL.
  std::string Source(char byte) {
    return "file://" + folder_.Write(std::string("source-") + byte, Content(byte));
  }
  static std::string Content(char byte) { return std::string(kSmallModelBytes, byte); }

  // Over connections of their own, so that any thread may call them.
  StatusCode Add(const std::string& reference, const std::string& source) const {
    Result<Admin> admin = Connect();
    if (!admin.ok()) return admin.status().code();
    return admin->Add(reference, source, {.variants = {Variant::kFiles}, .on_progress = {}})
        .status()
        .code();
  }
  StatusCode Remove(const std::string& reference) const {
    Result<Admin> admin = Connect();
    return admin.ok() ? admin->Remove(reference).status().code() : admin.status().code();
  }

  std::set<std::string> Listed() const {
    std::set<std::string> references;
    Result<Admin> admin = Connect();
    if (!admin.ok()) return references;
    const nlohmann::json models = nlohmann::json::parse(admin->List().value());
    for (const nlohmann::json& model : models["models"]) {
      EXPECT_TRUE(references.insert(model["reference"]).second) << "listed twice: " << model;
    }
    return references;
  }

  // The byte that fills the model; '-': there is none of that name.
  char Opened(const std::string& reference) const {
    Result<Client> client = daemon_->Connect();
    if (!client.ok()) return '?';
    const Result<Model> model = client->Open(reference);
    if (model.status().code() == StatusCode::kNotFound) return '-';
    EXPECT_TRUE(model.ok()) << model.status().ToString();
    if (!model.ok()) return '?';
    const auto bytes = model->file(0).bytes;
    const char first = static_cast<char>(bytes[0]);
    EXPECT_EQ(bytes.size(), kSmallModelBytes);
    EXPECT_EQ(std::memcmp(bytes.data(), Content(first).data(), kSmallModelBytes), 0);
    return first;
  }

  // Lists `references` and opens each; then stops the daemon, which ends what it still had to
  // remove, looks at the disk, and finds the same once more in a daemon that starts from it.
  void ExpectOnly(const std::set<std::string>& references) {
    EXPECT_EQ(Listed(), references);
    std::set<char> contents;
    for (const std::string& reference : references) contents.insert(Opened(reference));
    EXPECT_FALSE(contents.contains('-'));
    daemon_->process().Signal(SIGTERM);
    EXPECT_EQ(daemon_->process().Wait(), 0) << daemon_->Log();
    EXPECT_EQ(PreparedFolders(), contents.size()) << "equal content is there once";
    StartDaemon();
    EXPECT_EQ(Listed(), references);
    for (const std::string& reference : references) EXPECT_NE(Opened(reference), '-');
  }

  const test::ScratchFolder folder_;
  std::optional<DaemonProcess> daemon_;

 private:
  Result<Admin> Connect() const {
    return Admin::Connect({.socket_path = daemon_->socket(), .client_name = "at-once"});
  }
  size_t PreparedFolders() const {
    const std::filesystem::directory_iterator entries(folder_ / "data/prepared");
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }
};

TEST_F(AtOnceTest, TwoAddsOfTheSameContentMakeOneModel) {
  const std::string source = Source('a');
  std::set<std::string> all;
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = "m" + std::to_string(round);
    StatusCode first, second;
    AtOnce(
        {[&] { first = Add(name + ":v1", source); }, [&] { second = Add(name + ":v1", source); }});
    EXPECT_EQ(first, StatusCode::kOk);
    EXPECT_EQ(second, StatusCode::kOk);
    all.insert("default/" + name + ":v1");
  }
  ExpectOnly(all);
}

TEST_F(AtOnceTest, OfTwoContentsUnderOneVersionOneWins) {
  const std::string a = Source('a');
  const std::string b = Source('b');
  std::set<std::string> all;
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = "m" + std::to_string(round) + ":v1";
    StatusCode first, second;
    AtOnce({[&] { first = Add(name, a); }, [&] { second = Add(name, b); }});
    const bool a_won = first == StatusCode::kOk;
    EXPECT_EQ(a_won ? second : first, StatusCode::kAlreadyExists);
    EXPECT_EQ(a_won ? first : second, StatusCode::kOk);
    EXPECT_EQ(Opened(name), a_won ? 'a' : 'b');
    all.insert("default/" + name);
  }
  ExpectOnly(all);
}

TEST_F(AtOnceTest, AddAndRemoveLeaveTheModelOrNothingOfIt) {
  const std::string source = Source('a');
  for (int round = 0; round < kRounds; ++round) {
    ASSERT_EQ(Add("m:v1", source), StatusCode::kOk);
    StatusCode added, removed;
    AtOnce({[&] { added = Add("m:v1", source); }, [&] { removed = Remove("m:v1"); }});
    EXPECT_EQ(added, StatusCode::kOk);
    EXPECT_EQ(removed, StatusCode::kOk);
    EXPECT_EQ(Opened("m:v1"), Listed().empty() ? '-' : 'a');
  }
  ExpectOnly(Listed());
  Remove("m:v1");
  ExpectOnly({});
}

TEST_F(AtOnceTest, InAnyOrderListOpensAndDiskAgree) {
  const std::vector<std::string> sources = {Source('a'), Source('b'), Source('c')};
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::vector<std::function<void()>> operators;
  for (unsigned number = 0; number < 4; ++number) {
    operators.emplace_back([&, number] {
      std::mt19937 random(seed + number);
      for (int step = 0; step < 10; ++step) {
        const std::string name = "m" + std::to_string(random() % 2) + ":v1";
        const std::string& source = sources[random() % sources.size()];
        switch (random() % 3) {
          case 0:
            EXPECT_THAT(Remove(name), AnyOf(StatusCode::kOk, StatusCode::kNotFound));
            break;
          case 1:
            EXPECT_NE(Opened(name), '?');
            break;
          default:
            EXPECT_THAT(Add(name, source), AnyOf(StatusCode::kOk, StatusCode::kAlreadyExists));
        }
      }
    });
  }
  AtOnce(operators);
  const std::set<std::string> left = Listed();
  for (const char* name : {"default/m0:v1", "default/m1:v1"}) {
    EXPECT_EQ(Opened(name) == '-', !left.contains(name));
  }
  ExpectOnly(left);
}

}  // namespace
}  // namespace trims::test
