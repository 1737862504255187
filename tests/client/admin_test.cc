#include "trims/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "client/fake_model.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using test::FakeDaemon;
using ::testing::ElementsAre;

TEST(AdminTest, AsksForDocumentsAndReportsProgress) {
  FakeDaemon daemon([](const wire::Request& request, FakeDaemon::Peer& peer) {
    if (std::holds_alternative<wire::AddRequest>(request.body)) {
      for (uint64_t i = 1; i <= 3; ++i)
        peer.Send(peer.encoder.Progress(request.id, {.stage = "read", .done = i, .total = 3}));
    }
    peer.Document(request.id, std::string(100'000, 'j'));
  });
  Admin admin = Admin::Connect({.socket_path = daemon.path()}).value();
  std::vector<uint64_t> seen;
  AddOptions options;
  options.on_progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.stage, "read");
    seen.push_back(progress.done);
  };
  EXPECT_EQ(admin.Add("a", "file:///b", options)->size(), 100'000U);
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  EXPECT_TRUE(admin.List().ok());
  EXPECT_TRUE(admin.Show("a").ok());
  EXPECT_TRUE(admin.Remove("a").ok());
  EXPECT_TRUE(admin.Verify("a").ok());
  EXPECT_TRUE(admin.Push("a", "file:///there").ok());
  EXPECT_TRUE(admin.GetStatus().ok());
}

TEST(AdminTest, AShortOrHugeDocumentIsAnError) {
  uint64_t length = 0;
  FakeDaemon daemon([&](const wire::Request& request, FakeDaemon::Peer& peer) {
    const UniqueFd fd = test::Sealed(test::ToBytes("{}"));
    peer.Send(peer.encoder.Document(request.id, {.length = length}), {fd.get()});
  });
  Admin admin = Admin::Connect({.socket_path = daemon.path()}).value();
  length = 3;
  EXPECT_EQ(admin.List().status().code(), StatusCode::kDataLoss);
  length = wire::kMaxDocumentBytes + 1;
  EXPECT_EQ(admin.List().status().code(), StatusCode::kTooLarge);
  length = 2;
  EXPECT_EQ(*admin.List(), "{}");
}

TEST(AdminTest, AHangingDaemonIsGivenUp) {
  FakeDaemon daemon([](const auto&, auto&) {});
  Admin admin = Admin::Connect({.socket_path = daemon.path()}).value();
  AddOptions options;
  options.timeout = std::chrono::milliseconds(20);
  EXPECT_EQ(admin.Add("a", "file:///b", options).status().code(), StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace trims
