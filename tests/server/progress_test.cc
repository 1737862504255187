// What an open is told while it waits.
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kModelBytes = 8192;  // two extents of the harness

class OpenProgressTest : public ::testing::Test {
 protected:
  static ServerOptions Options() {
    ServerOptions options;
    options.limits.progress_every = milliseconds(1);
    return options;
  }

  void SetUp() override {
    harness_.AddModel("slow", 2);
    harness_.HoldLoads();
  }

  static wire::OpenRequest Asking() { return {.reference = "slow", .progress = true}; }

  // The next reply if it tells progress.
  static std::optional<wire::ProgressReply> NextProgress(RawClient* client) {
    const Result<const wire::Reply*> reply = client->Receive();
    if (!reply.ok()) return std::nullopt;
    const auto* progress = std::get_if<wire::ProgressReply>(&(*reply)->body);
    return progress == nullptr ? std::nullopt : std::optional(*progress);
  }

  // Until the open is answered: how often it was told something before.
  static int CountUntilOpened(RawClient* client) {
    int count = 0;
    while (NextProgress(client)) ++count;
    EXPECT_TRUE(std::holds_alternative<wire::OpenReply>(client->last().body));
    return count;
  }

  ServerHarness harness_{Options()};
  RawClient client_{harness_.socket_path()};
};

TEST_F(OpenProgressTest, IsToldAtOnceAndAsItGoesOn) {
  ASSERT_TRUE(client_.Send(Asking(), 7).ok());
  const std::optional<wire::ProgressReply> first = NextProgress(&client_);
  ASSERT_TRUE(first);
  EXPECT_EQ(client_.last().id, 7u);
  EXPECT_EQ(first->stage, "host");
  EXPECT_EQ(first->done, 0u);
  EXPECT_EQ(first->total, kModelBytes);
  EXPECT_EQ(first->bytes_per_second, 0u);
  for (const uint64_t done : {kModelBytes / 2, kModelBytes}) {
    harness_.AdvanceLoads(kModelBytes / 2);
    std::optional<wire::ProgressReply> next;
    do {
      next = NextProgress(&client_);
      ASSERT_TRUE(next);
    } while (next->done != done);
    EXPECT_GT(next->bytes_per_second, 0u);
  }
  harness_.ReleaseLoads();
  CountUntilOpened(&client_);
  EXPECT_TRUE(client_.Document(wire::ListRequest{}).ok()) << "nothing comes after it";
}

TEST_F(OpenProgressTest, AHitIsNotTold) {
  harness_.ReleaseLoads();
  ASSERT_TRUE(client_.OpenLease("slow").ok());
  ASSERT_TRUE(client_.Send(Asking()).ok());
  EXPECT_EQ(CountUntilOpened(&client_), 0);
}

TEST_F(OpenProgressTest, WhoDidNotAskIsNotTold) {
  RawClient other(harness_.socket_path());
  ASSERT_TRUE(client_.Send(Asking()).ok());
  ASSERT_TRUE(other.Send(wire::OpenRequest{.reference = "slow"}).ok());
  ASSERT_TRUE(NextProgress(&client_));
  ASSERT_TRUE(NextProgress(&client_)) << "a timer has run";
  harness_.ReleaseLoads();
  EXPECT_EQ(CountUntilOpened(&other), 0);
}

// Its socket has room for its other replies, and what it finds there is not old.
TEST_F(OpenProgressTest, WhoTakesNothingIsToldNoMore) {
  ASSERT_TRUE(client_.Send(Asking()).ok());
  while (harness_.StatusDocument()["waiters"] != 1) {
  }
  harness_.RunTimersDueWithin(milliseconds(20));
  harness_.ReleaseLoads();
  EXPECT_EQ(CountUntilOpened(&client_), 1);
}

TEST_F(OpenProgressTest, SeveralOpensOfOneConnectionAreAllTold) {
  harness_.AddModel("other", 1);
  ASSERT_TRUE(client_.Send(Asking(), 1).ok());
  ASSERT_TRUE(NextProgress(&client_));
  ASSERT_TRUE(client_.Send(wire::OpenRequest{.reference = "other", .progress = true}, 2).ok());
  harness_.AdvanceLoads(1);
  bool told[3] = {};
  while (!told[1] || !told[2]) {
    const std::optional<wire::ProgressReply> progress = NextProgress(&client_);
    ASSERT_TRUE(progress);
    told[client_.last().id] |= progress->done > 0;
    harness_.AdvanceLoads(1);
  }
  harness_.ReleaseLoads();
}

TEST_F(OpenProgressTest, TheEndOfAConnectionEndsItsTimer) {
  ASSERT_TRUE(client_.Send(Asking()).ok());
  ASSERT_TRUE(NextProgress(&client_));
  client_.Disconnect();
  EXPECT_EQ(harness_.StatusDocument()["waiters"], 0);
  harness_.RunTimersDueWithin(milliseconds(5));
  harness_.ReleaseLoads();
  RawClient other(harness_.socket_path());
  EXPECT_TRUE(other.OpenLease("slow").ok());
}

TEST_F(OpenProgressTest, AnOpenThatIsGivenUpIsNoWaiterAndNotToldAnyMore) {
  ASSERT_TRUE(client_.Send(Asking(), 3).ok());
  ASSERT_TRUE(NextProgress(&client_));
  ASSERT_TRUE(client_.Send(wire::CancelRequest{3}).ok());
  ASSERT_TRUE(client_.Send(wire::CancelRequest{3}).ok());  // twice does no harm
  while (harness_.StatusDocument()["waiters"] != 0) {
  }
  EXPECT_EQ(harness_.StatusDocument()["server"]["requests_in_flight"], 0);
  harness_.ReleaseLoads();
  ASSERT_TRUE(client_.Send(wire::ListRequest{}, 4).ok());
  do {
    ASSERT_TRUE(client_.Receive().ok());
  } while (std::holds_alternative<wire::ProgressReply>(client_.last().body));
  EXPECT_EQ(client_.last().id, 4u) << "it was not answered";
  EXPECT_EQ(harness_.StatusDocument()["leases"], 0);
}

TEST_F(OpenProgressTest, GivingUpWhatWasAnsweredMeanwhileEndsItsLeaseAlone) {
  harness_.ReleaseLoads();
  ASSERT_TRUE(client_.Ask(wire::OpenRequest{.reference = "slow"}, 3).ok());
  ASSERT_TRUE(client_.Ask(wire::OpenRequest{.reference = "slow"}, 4).ok());
  EXPECT_EQ(harness_.StatusDocument()["leases"], 2);
  ASSERT_TRUE(client_.Send(wire::CancelRequest{3}).ok());
  ASSERT_TRUE(client_.Document(wire::ListRequest{}).ok());
  EXPECT_EQ(harness_.StatusDocument()["leases"], 1);
}

TEST_F(OpenProgressTest, StatusSaysTheSameOfEachLoad) {
  ASSERT_TRUE(client_.Send(Asking()).ok());
  ASSERT_TRUE(NextProgress(&client_));
  nlohmann::json segment = harness_.StatusDocument()["segments"][0];
  EXPECT_EQ(segment["load"]["bytes_done"], 0);
  EXPECT_EQ(segment["load"]["bytes_total"], kModelBytes);
  EXPECT_EQ(segment["load"]["tier"], "host");
  EXPECT_TRUE(segment["load"]["remaining_ms"].is_null());
  harness_.AdvanceLoads(kModelBytes / 2);
  segment = harness_.StatusDocument()["segments"][0];
  EXPECT_EQ(segment["load"]["bytes_done"], kModelBytes / 2);
  EXPECT_GT(segment["load"]["bytes_per_second"], 0);
  EXPECT_TRUE(segment["load"]["remaining_ms"].is_number());
  harness_.ReleaseLoads();
  CountUntilOpened(&client_);
  EXPECT_FALSE(harness_.StatusDocument()["segments"][0].contains("load"));
}

}  // namespace
}  // namespace trims::test
