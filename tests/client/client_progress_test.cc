// What the caller of an open is told while it waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "trims/admin.h"
#include "trims/c.h"
#include "trims/client.h"

#include "client/fake_model.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using test::FakeDaemon;
using test::FakeModel;
using ::testing::ElementsAre;

constexpr wire::ProgressReply kTold[] = {
    {.stage = "host", .done = 0, .total = 3000},
    {.stage = "host", .done = 1000, .total = 3000, .bytes_per_second = 500},
    {.stage = "host", .done = 3000, .total = 3000, .bytes_per_second = 750}};

// Opens whatever it is asked for, after having told what it is to tell.
class ProgressingDaemon {
 public:
  std::string path() const { return daemon_.path(); }
  bool asked() const { return asked_; }
  uint64_t last_id() const { return last_id_; }
  std::vector<uint64_t> AwaitCancels(size_t count) { return daemon_.AwaitCancels(count); }
  Client Connect() const { return Client::Connect({.socket_path = path()}).value(); }

 private:
  void Serve(const wire::Request& request, FakeDaemon::Peer& peer) {
    asked_ = std::get<wire::OpenRequest>(request.body).progress;
    last_id_ = request.id;
    peer.Send(peer.encoder.Waiting(request.id, {.deadline_ms = 60'000}));
    if (asked_) {
      for (const wire::ProgressReply& told : kTold)
        peer.Send(peer.encoder.Progress(request.id, told));
    }
    fake_.Serve(request, peer);
  }

  FakeModel fake_;
  std::atomic<bool> asked_{false};
  std::atomic<uint64_t> last_id_{0};
  FakeDaemon daemon_{[this](const auto& request, auto& peer) { Serve(request, peer); }};
};

TEST(ClientProgressTest, TheCallerIsToldOnItsOwnThread) {
  const ProgressingDaemon daemon;
  std::vector<LoadProgress> told;
  OpenOptions options;
  options.progress = [&, caller = std::this_thread::get_id()](const LoadProgress& load) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    told.push_back(load);
    return true;
  };
  ASSERT_TRUE(daemon.Connect().Open("ocr", options).ok());
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].tier, "host");
  EXPECT_EQ(told[0].bytes_total, 3000U);
  EXPECT_FALSE(told[0].remaining) << "there is no rate yet";
  EXPECT_EQ(told[1].bytes_done, 1000U);
  EXPECT_EQ(told[1].bytes_per_second, 500U);
  EXPECT_EQ(told[1].remaining, milliseconds(4000));
  EXPECT_EQ(told[2].remaining, milliseconds(0));
}

TEST(ClientProgressTest, NobodyAsksWithoutACallback) {
  const ProgressingDaemon daemon;
  EXPECT_TRUE(daemon.Connect().Open("ocr").ok());
  EXPECT_FALSE(daemon.asked());
}

TEST(ClientProgressTest, ACallerMayGiveUpAndOpenAgain) {
  ProgressingDaemon daemon;
  Client client = daemon.Connect();
  const Result<Model> held = client.Open("held");  // else the connection's end says it all
  ASSERT_TRUE(held.ok());
  int calls = 0;
  OpenOptions options;
  options.progress = [&](const LoadProgress& load) {
    ++calls;
    return load.bytes_done == 0;
  };
  EXPECT_EQ(client.Open("ocr", options).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(daemon.AwaitCancels(1), ElementsAre(daemon.last_id()));
  EXPECT_TRUE(client.Open("ocr").ok()) << "what was still to come belongs to nobody";
}

TEST(ClientProgressTest, AClientThatIsUsedInItsOwnCallbackSaysSo) {
  const ProgressingDaemon daemon;
  Client client = daemon.Connect();
  std::vector<StatusCode> answers;
  OpenOptions options;
  options.progress = [&](const LoadProgress&) {
    answers.push_back(client.Open("other").status().code());
    return true;
  };
  EXPECT_TRUE(client.Open("ocr", options).ok());
  EXPECT_THAT(answers, ::testing::Each(StatusCode::kFailedPrecondition));
  EXPECT_TRUE(client.Open("other").ok());
}

// A daemon of an earlier release, which doesn't know that it is asked.
TEST(ClientProgressTest, ADaemonThatTellsNothingIsNoError) {
  FakeModel fake;
  FakeDaemon daemon([&](const auto& request, auto& peer) { fake.Serve(request, peer); });
  OpenOptions options;
  options.progress = [](const LoadProgress&) {
    ADD_FAILURE();
    return true;
  };
  EXPECT_TRUE(Client::Connect({.socket_path = daemon.path()})->Open("ocr", options).ok());
}

struct Told {
  std::vector<uint64_t> done;
  std::vector<int64_t> remaining_ms;
  int answer = 0;
};

int Note(const trims_load_progress* progress, void* context) {
  Told& told = *static_cast<Told*>(context);
  EXPECT_STREQ(progress->tier, "host");
  EXPECT_EQ(progress->bytes_total, 3000U);
  told.done.push_back(progress->bytes_done);
  told.remaining_ms.push_back(progress->remaining_ms);
  return told.answer;
}

class CProgressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    trims_client_options options = TRIMS_CLIENT_OPTIONS_INIT;
    const std::string path = daemon_.path();
    options.socket_path = path.c_str();
    ASSERT_EQ(trims_client_connect(&options, &client_), nullptr);
    open_.progress = Note;
    open_.progress_context = &told_;
  }
  void TearDown() override {
    trims_model_close(model_);
    trims_client_free(client_);
  }
  int Open() {
    trims_status* const status = trims_client_open(client_, "ocr", &open_, &model_);
    const int code = trims_status_code(status);
    trims_status_free(status);
    return code;
  }

  const ProgressingDaemon daemon_;
  trims_client* client_ = nullptr;
  trims_model* model_ = nullptr;
  trims_open_options open_ = TRIMS_OPEN_OPTIONS_INIT;
  Told told_;
};

TEST_F(CProgressTest, TheCallbackIsToldWithItsContext) {
  EXPECT_EQ(Open(), TRIMS_OK);
  EXPECT_THAT(told_.done, ElementsAre(0, 1000, 3000));
  EXPECT_THAT(told_.remaining_ms, ElementsAre(-1, 4000, 0));
}

TEST_F(CProgressTest, WhatIsNotZeroGivesUp) {
  told_.answer = -1;
  EXPECT_EQ(Open(), TRIMS_CANCELLED);
  EXPECT_EQ(model_, nullptr);
  EXPECT_THAT(told_.done, ElementsAre(0));
}

TEST_F(CProgressTest, AnOlderCallersOptionsEndBeforeIt) {
  open_.struct_size = offsetof(trims_open_options, progress);
  EXPECT_EQ(Open(), TRIMS_OK);
  EXPECT_FALSE(daemon_.asked());
  EXPECT_THAT(told_.done, ElementsAre());
}

}  // namespace
}  // namespace trims
