// A keeper and who talks to it: daemons that come and go, and those who say what they shouldn't.
#include "keeper/keeper_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/fixed_text.h"
#include "keeper/keeper_link.h"
#include "keeper/keeper_protocol.h"
#include "keeper/memfds.h"
#include "support/scratch_folder.h"
#include "wire/channel.h"

namespace trims {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using ::testing::HasSubstr;

constexpr int kPatienceMs = 20'000;

class KeeperServerTest : public ::testing::Test {
 protected:
  KeeperServerTest() {
    Result<UniqueFd> listening = wire::ListenOn(path_, 0600, 4);
    EXPECT_TRUE(listening.ok());
    listening_ = *std::move(listening);
    keeper_ = std::thread([this] {
      ended_ = RunKeeper(listening_.get(), minutes(1));
      listening_.reset();  // as the end of its process would
    });
  }
  ~KeeperServerTest() override {
    if (keeper_.joinable()) End();
  }

  void End() {
    Result<std::unique_ptr<DescriptorKeeper>> link = ConnectToKeeper(path_, milliseconds(0));
    if (link.ok()) {
      EXPECT_TRUE((*link)->End().ok());
    }
    keeper_.join();
    EXPECT_TRUE(ended_.ok()) << ended_.ToString();
  }

  std::unique_ptr<DescriptorKeeper> Connect(milliseconds keep_for = minutes(1)) const {
    Result<std::unique_ptr<DescriptorKeeper>> link = ConnectToKeeper(path_, keep_for);
    EXPECT_TRUE(link.ok()) << link.status().ToString();
    return link.ok() ? *std::move(link) : nullptr;
  }

  static Status Keep(DescriptorKeeper* link, const std::string& label, const UniqueFd& fd) {
    const int number = fd.get();
    return link->Keep(label, std::span<const int>(&number, 1));
  }

  // Sends a frame as it is; what came back, or nothing if the keeper hung up.
  static std::optional<KeeperReply> Say(int socket, std::span<const std::byte> frame,
                                        std::span<const int> fds = {}) {
    if (!wire::SendFrame(socket, frame, fds).ok()) return std::nullopt;
    const Result<wire::FixedMessage<KeeperReply>> reply = ReceiveKeeperReply(socket, kPatienceMs);
    return reply.ok() ? std::optional(reply->message) : std::nullopt;
  }
  static std::optional<KeeperReply> Say(int socket, const KeeperRequest& request,
                                        std::span<const int> fds = {}) {
    return Say(socket, std::as_bytes(std::span(&request, 1)), fds);
  }

  const test::ScratchFolder folder_;
  const std::string path_ = folder_ / "keeper";
  UniqueFd listening_;
  Status ended_;
  std::thread keeper_;
};

TEST_F(KeeperServerTest, WhatOneDaemonGaveTheNextOneGets) {
  {
    const auto first = Connect();
    EXPECT_TRUE(Keep(first.get(), test::kLabelA, test::Sealed("one")).ok());
    EXPECT_TRUE(Keep(first.get(), test::kLabelB, test::Sealed("two")).ok());
    EXPECT_TRUE(first->Drop(test::kLabelB).ok());
    EXPECT_TRUE(first->Drop(test::kLabelB).ok());
  }
  const auto second = Connect();
  const Result<std::vector<KeptDescriptors>> held = second->TakeHeld();
  ASSERT_TRUE(held.ok());
  ASSERT_EQ(held->size(), 1u);
  EXPECT_EQ(held->front().label, test::kLabelA);
  ASSERT_EQ(held->front().fds.size(), 1u);
  EXPECT_EQ(test::TextIn(held->front().fds[0].get()), "one");
}

TEST_F(KeeperServerTest, TheSecondOfALabelTakesThePlaceOfTheFirst) {
  {
    const auto first = Connect();
    EXPECT_TRUE(Keep(first.get(), test::kLabelA, test::Sealed("one")).ok());
    EXPECT_TRUE(Keep(first.get(), test::kLabelA, test::Sealed("two")).ok());
  }
  const auto second = Connect();
  const Result<std::vector<KeptDescriptors>> held = second->TakeHeld();
  ASSERT_TRUE(held.ok());
  ASSERT_EQ(held->size(), 1u);
  EXPECT_EQ(test::TextIn(held->front().fds.at(0).get()), "two");
}

TEST_F(KeeperServerTest, WhatMayStillChangeIsRefused) {
  const auto link = Connect();
  const Status unsealed = Keep(link.get(), test::kLabelA, test::Unsealed("one"));
  EXPECT_EQ(unsealed.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(unsealed.message(), HasSubstr("may still change"));
  const UniqueFd plain(::open(folder_.Write("plain", "one").c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_THAT(Keep(link.get(), test::kLabelA, plain).message(), HasSubstr("no memfd"));
  EXPECT_EQ(link->Keep(test::kLabelA, {}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Keep(link.get(), "../etc", test::Sealed("one")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Keep(link.get(), std::string(64, 'A'), test::Sealed("one")).code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(Keep(link.get(), test::kLabelA, test::Sealed("one")).ok()) << "it still listens";
}

TEST_F(KeeperServerTest, ItHoldsOnlySoManySegments) {
  const auto link = Connect();
  const UniqueFd fd = test::Sealed("one");
  char label[kLabelDigits + 1];
  Status status;
  size_t kept = 0;
  for (; kept <= kMaxKeptSegments && status.ok(); ++kept) {
    std::snprintf(label, sizeof label, "%064zx", kept);
    status = Keep(link.get(), label, fd);
  }
  if (status.message().find("Too many open files") != std::string::npos)
    GTEST_SKIP() << "this process may not open as many descriptors as the limit is about";
  EXPECT_EQ(kept, kMaxKeptSegments + 1);
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
}

TEST_F(KeeperServerTest, WhoeverSaysNonsenseIsHungUpOnAndWhatWasKeptStays) {
  {
    const auto first = Connect();
    EXPECT_TRUE(Keep(first.get(), test::kLabelA, test::Sealed("one")).ok());
  }
  const std::vector<std::byte> noise(7, std::byte{0xff});
  KeeperRequest other_version;
  other_version.version = kKeeperProtocolVersion + 1;
  const KeeperRequest before_hello{.op = KeeperOp::kDrop};
  const auto fresh = [this] { return wire::ConnectTo(path_).value(); };
  EXPECT_FALSE(Say(fresh().get(), noise));
  EXPECT_FALSE(Say(fresh().get(), other_version));
  EXPECT_FALSE(Say(fresh().get(), before_hello));
  const auto last = Connect();
  EXPECT_EQ(last->TakeHeld()->size(), 1u);
}

TEST_F(KeeperServerTest, UnknownRequestsAndUnwantedDescriptorsAreAnsweredWithWhy) {
  const UniqueFd socket = wire::ConnectTo(path_).value();
  ASSERT_TRUE(Say(socket.get(), KeeperRequest{.number = 60'000}));
  const auto unknown = Say(socket.get(), KeeperRequest{.op = static_cast<KeeperOp>(77)});
  ASSERT_TRUE(unknown);
  EXPECT_THAT(TextOf(unknown->message), HasSubstr("request 77 is none"));
  const UniqueFd fd = test::Sealed("one");
  const int number = fd.get();
  const auto unwanted =
      Say(socket.get(), KeeperRequest{.op = KeeperOp::kShow}, std::span<const int>(&number, 1));
  ASSERT_TRUE(unwanted);
  EXPECT_THAT(TextOf(unwanted->message), HasSubstr("not asked for"));
  const auto beyond = Say(socket.get(), KeeperRequest{.op = KeeperOp::kShow, .number = UINT64_MAX});
  ASSERT_TRUE(beyond);
  EXPECT_EQ(beyond->code, static_cast<uint32_t>(StatusCode::kNotFound));
  KeeperRequest endless{.op = KeeperOp::kKeep};  // a label without an end
  std::memset(endless.label, 'a', sizeof endless.label);
  const auto refused = Say(socket.get(), endless, std::span<const int>(&number, 1));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, static_cast<uint32_t>(StatusCode::kInvalidArgument));
}

TEST_F(KeeperServerTest, ItEndsWithTheDaemonThatLeavesItNothing) {
  Connect().reset();
  keeper_.join();
  EXPECT_TRUE(ended_.ok()) << ended_.ToString();
}

TEST_F(KeeperServerTest, ItEndsWhenNobodyCameForItsTime) {
  {
    const auto link = Connect(milliseconds(30));
    EXPECT_TRUE(Keep(link.get(), test::kLabelA, test::Sealed("one")).ok());
  }
  keeper_.join();  // the test's own limit of time is what fails if it doesn't
  EXPECT_TRUE(ended_.ok()) << ended_.ToString();
}

TEST_F(KeeperServerTest, ASecondDaemonWaitsForTheFirstToGo) {
  auto first = Connect();
  EXPECT_TRUE(Keep(first.get(), test::kLabelA, test::Sealed("one")).ok());
  size_t held = 0;
  std::thread second([&] { held = Connect()->TakeHeld()->size(); });
  first.reset();
  second.join();
  EXPECT_EQ(held, 1u);
}

TEST_F(KeeperServerTest, AKeeperThatHasGoneIsUnavailable) {
  const auto link = Connect();
  EXPECT_TRUE(link->End().ok());
  keeper_.join();
  EXPECT_EQ(Keep(link.get(), test::kLabelA, test::Sealed("one")).code(), StatusCode::kUnavailable);
  EXPECT_EQ(link->Drop(test::kLabelA).code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace trims
