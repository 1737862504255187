// Many clients, greedy clients, silent clients: each meets its limit, and nobody else notices.
#include "server/limits.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/raw_client.h"
#include "server/server_harness.h"

namespace trims::test {
namespace {

using std::chrono::milliseconds;

ServerOptions WithLimits(const ServerLimits& limits) {
  ServerOptions options;
  options.limits = limits;
  return options;
}

TEST(LimitsTest, AThousandConnectionsAreServedAndLeaveNothing) {
  ServerHarness harness;
  harness.AddModel("ocr");
  ASSERT_TRUE(RawClient(harness.socket_path()).OpenLease("ocr").ok());
  ASSERT_EQ(harness.StatusDocument()["leases"], 0);
  const size_t before = harness.Descriptors();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 1000; ++i) {
    clients.push_back(std::make_unique<RawClient>(harness.socket_path()));
    ASSERT_TRUE(clients.back()->Send(wire::OpenRequest{.reference = "ocr"}).ok());
  }
  for (const auto& client : clients) ASSERT_TRUE(client->Receive().ok());
  EXPECT_EQ(harness.StatusDocument()["leases"], 1000);
  clients.clear();
  EXPECT_EQ(harness.StatusDocument()["leases"], 0);
  EXPECT_EQ(harness.Connections(), 0u);
  EXPECT_EQ(harness.Descriptors(), before);
}

TEST(LimitsTest, AConnectionBeyondTheLimitIsToldSoAndOthersGoOn) {
  ServerHarness harness(WithLimits({.max_connections = 2}));
  harness.AddModel("ocr");
  RawClient one(harness.socket_path());
  RawClient two(harness.socket_path());
  ASSERT_TRUE(one.OpenLease("ocr").ok());
  ASSERT_TRUE(two.OpenLease("ocr").ok());
  RawClient three(harness.socket_path());
  const auto told = three.Receive();
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(std::get<Status>((*told)->body).code(), StatusCode::kQuotaExceeded);
  EXPECT_TRUE(three.WaitForEnd());
  two.Disconnect();
  ASSERT_TRUE(one.OpenLease("ocr").ok());  // the loop has seen the hang-up by now
  RawClient four(harness.socket_path());
  EXPECT_TRUE(four.OpenLease("ocr").ok());
}

TEST(LimitsTest, OneUserCantTakeAllConnections) {
  ServerHarness harness(WithLimits({.max_connections = 10, .max_connections_per_uid = 1}));
  harness.AddModel("ocr");
  RawClient one(harness.socket_path());
  ASSERT_TRUE(one.OpenLease("ocr").ok());
  RawClient two(harness.socket_path());
  const auto told = two.Receive();
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(std::get<Status>((*told)->body).code(), StatusCode::kQuotaExceeded);
}

TEST(LimitsTest, ASilentConnectionIsDroppedAndOneThatSpokeIsNot) {
  ServerHarness harness(WithLimits({.first_frame_deadline = milliseconds(30)}));
  harness.AddModel("ocr");
  RawClient spoke(harness.socket_path());
  ASSERT_TRUE(spoke.OpenLease("ocr").ok());
  RawClient silent(harness.socket_path());
  RawClient also_silent(harness.socket_path());
  EXPECT_TRUE(silent.WaitForEnd());
  EXPECT_TRUE(also_silent.WaitForEnd());
  EXPECT_TRUE(spoke.OpenLease("ocr").ok());
  EXPECT_EQ(harness.Counters().dropped_silent, 2u);
}

TEST(LimitsTest, RequestsInFlightBeyondTheLimitWaitInTheSocket) {
  ServerHarness harness(WithLimits({.max_requests_in_flight = 2}));
  for (int i = 0; i < 5; ++i) harness.AddModel("m" + std::to_string(i));
  harness.HoldLoads();
  RawClient client(harness.socket_path());
  for (uint64_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(client.Send(wire::OpenRequest{.reference = "m" + std::to_string(i)}, i).ok());
  }
  // A frame a turn: after as many turns as there are frames nothing more is read.
  for (int turn = 0; turn < 10; ++turn) harness.StatusDocument();
  EXPECT_EQ(harness.StatusDocument()["waiters"], 2);
  harness.ReleaseLoads();
  std::vector<bool> answered(5);
  for (int i = 0; i < 5; ++i) {
    const auto reply = client.Receive();
    ASSERT_TRUE(reply.ok());
    answered.at((*reply)->id) = std::holds_alternative<wire::OpenReply>((*reply)->body);
  }
  EXPECT_EQ(answered, std::vector<bool>(5, true));
}

TEST(LimitsTest, LeasesOfAConnectionAreLimited) {
  ServerHarness harness(WithLimits({.max_leases = 2}));
  harness.AddModel("ocr");
  RawClient client(harness.socket_path());
  const Result<uint64_t> first = client.OpenLease("ocr");
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(client.OpenLease("ocr").ok());
  EXPECT_EQ(client.OpenLease("ocr").status().code(), StatusCode::kQuotaExceeded);
  ASSERT_TRUE(client.Send(wire::CloseRequest{.lease = *first}).ok());
  EXPECT_TRUE(client.OpenLease("ocr").ok());
}

// Sends opens and never reads, until the daemon reads no more or the connection is gone.
void SendWithoutReading(RawClient* client) {
  const timeval patience{.tv_sec = 30, .tv_usec = 0};
  ::setsockopt(client->socket(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  while (client->Send(wire::OpenRequest{.reference = "ocr"}).ok()) {
  }
}

TEST(LimitsTest, AClientThatNeverReadsIsDroppedAndOthersGoOn) {
  ServerHarness harness(WithLimits({.unsent_deadline = milliseconds(50)}));
  harness.AddModel("ocr");
  RawClient bystander(harness.socket_path());
  ASSERT_TRUE(bystander.OpenLease("ocr").ok());
  const size_t before = harness.Descriptors();
  {
    RawClient greedy(harness.socket_path());
    SendWithoutReading(&greedy);
    EXPECT_TRUE(bystander.OpenLease("ocr").ok());
  }
  EXPECT_EQ(harness.Counters().dropped_unread, 1u);
  EXPECT_EQ(harness.StatusDocument()["leases"], 2);
  EXPECT_EQ(harness.Descriptors(), before);
}

// Descriptors that nobody took count against the daemon's user, whom the kernel lets leave only so
// many on their way: one client must not use them up.
constexpr int kTurnsWithoutReading = 10;  // who reads, reads a frame a turn

TEST(LimitsTest, AClientThatNeverReadsLeavesFewDescriptorsUntaken) {
  ServerHarness harness;
  harness.AddModel("ocr");
  RawClient greedy(harness.socket_path());
  const timeval patience{.tv_sec = 0, .tv_usec = 1000};
  ::setsockopt(greedy.socket(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  uint64_t served = 0;
  for (int turns = 0; turns < kTurnsWithoutReading; ++turns) {
    while (greedy.Send(wire::OpenRequest{.reference = "ocr"}).ok()) {
    }
    const uint64_t now = harness.Counters().requests;  // a turn of the loop
    if (std::exchange(served, now) != now) turns = 0;
  }
  EXPECT_GT(served, 10u);
  EXPECT_LT(served, 70u);
}

TEST(LimitsTest, DocumentsThatNobodyTakesAreLimited) {
  constexpr uint64_t kAsked = 20;
  ServerHarness harness(WithLimits({.untaken_document_bytes = 16384}));
  RawClient client(harness.socket_path());
  for (uint64_t i = 0; i < kAsked; ++i) ASSERT_TRUE(client.Send(wire::ListRequest{}, i).ok());
  // A frame a turn.
  for (uint64_t turn = 0; turn < 2 * kAsked; ++turn) harness.StatusDocument();
  size_t documents = 0;
  for (uint64_t i = 0; i < kAsked; ++i) {
    const auto reply = client.Receive();
    ASSERT_TRUE(reply.ok());
    const auto* refused = std::get_if<Status>(&(*reply)->body);
    EXPECT_TRUE(refused == nullptr || refused->code() == StatusCode::kResourceExhausted);
    documents += client.fds().size();
  }
  EXPECT_GE(documents, 1u);
  EXPECT_LE(documents, 5u);
  EXPECT_TRUE(client.Document(wire::ListRequest{}).ok());  // all of them are taken now
}

TEST(LimitsTest, AClientThatReadsLateGetsEveryReply) {
  ServerHarness harness;
  harness.AddModel("ocr");
  harness.AddModel("slow");
  harness.HoldLoads();
  RawClient client(harness.socket_path());
  int sent = 0;
  timeval no_patience{.tv_sec = 0, .tv_usec = 20000};
  ::setsockopt(client.socket(), SOL_SOCKET, SO_SNDTIMEO, &no_patience, sizeof no_patience);
  while (client.Send(wire::ListRequest{}, static_cast<uint64_t>(sent)).ok()) ++sent;
  for (int i = 0; i < sent; ++i) {
    const auto reply = client.Receive();
    ASSERT_TRUE(reply.ok()) << i << " of " << sent;
    ASSERT_EQ((*reply)->id, static_cast<uint64_t>(i));
    ASSERT_EQ(client.fds().size(), 1u);
  }
  EXPECT_GT(sent, 10);
  harness.ReleaseLoads();
}

}  // namespace
}  // namespace trims::test
