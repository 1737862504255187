#include "device/device_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <span>
#include <thread>

#include "device/device_protocol.h"
#include "device/sim_device.h"
#include "store/host_memory.h"
#include "support/held_resources.h"
#include "wire/channel.h"

namespace trims {
namespace {

constexpr uint64_t kServedCapacity = uint64_t{16} << 20;
constexpr int kPatienceMs = 60'000;

class DeviceServerTest : public ::testing::Test {
 protected:
  DeviceServerTest() {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ours_.reset(pair[0]);
    theirs_.reset(pair[1]);
    serving_ = std::thread([this] { ended_ = ServeDevice(theirs_.get(), device_.get()); });
  }
  ~DeviceServerTest() override { static_cast<void>(End()); }

  // Hangs up; how serving ended.
  Status End() {
    ours_.reset();
    if (serving_.joinable()) serving_.join();
    theirs_.reset();
    return ended_;
  }
  WithFd<DeviceReply> Ask(const DeviceRequest& request, int fd = -1) {
    EXPECT_TRUE(SendMessage(ours_.get(), request, fd).ok());
    Result<WithFd<DeviceReply>> reply = ReceiveReply(ours_.get(), kPatienceMs);
    EXPECT_TRUE(reply.ok()) << reply.status().ToString();
    return reply.ok() ? *std::move(reply) : WithFd<DeviceReply>();
  }
  StatusCode CodeOf(const DeviceRequest& request, int fd = -1) {
    return static_cast<StatusCode>(Ask(request, fd).message.code);
  }

  const std::unique_ptr<Device> device_ =
      MakeSimDevice({.number = 5, .capacity = kServedCapacity}).value();
  UniqueFd ours_;
  UniqueFd theirs_;
  Status ended_;
  std::thread serving_;
};

TEST_F(DeviceServerTest, SaysWhatItsDeviceIs) {
  const DeviceReply reply = Ask({.op = DeviceOp::kInfo}).message;
  EXPECT_EQ(TextOf(reply.name), "sim:5");
  EXPECT_EQ(TextOf(reply.uuid), device_->info().uuid);
  EXPECT_EQ(reply.capacity, kServedCapacity);
  EXPECT_EQ(static_cast<HandleKind>(reply.memory), HandleKind::kSimulatedDevice);
}

TEST_F(DeviceServerTest, WhatIsNotThereIsAnErrorAndNotTheEnd) {
  for (const DeviceOp op :
       {DeviceOp::kDetach, DeviceOp::kCopy, DeviceOp::kExport, DeviceOp::kFree}) {
    EXPECT_EQ(CodeOf({.op = op, .object = 7}), StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(CodeOf({.op = static_cast<DeviceOp>(99)}), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf({.op = DeviceOp::kAttach, .length = 1}), StatusCode::kInvalidArgument)
      << "no descriptor";
  EXPECT_EQ(CodeOf({.op = DeviceOp::kInfo}), StatusCode::kOk);
  EXPECT_TRUE(End().ok());
}

TEST_F(DeviceServerTest, AttachedBytesAreNoMemory) {
  const std::byte bytes[8] = {};
  const SealedExtent extent = SealedCopy("bytes", bytes).value();
  const uint64_t attached =
      Ask({.op = DeviceOp::kAttach, .length = 8}, extent.read_only_fd()).message.object;
  EXPECT_EQ(CodeOf({.op = DeviceOp::kFree, .object = attached}), StatusCode::kInvalidArgument);
  EXPECT_EQ(CodeOf({.op = DeviceOp::kDetach, .object = attached}), StatusCode::kOk);
  EXPECT_EQ(CodeOf({.op = DeviceOp::kDetach, .object = attached}), StatusCode::kInvalidArgument);
}

TEST_F(DeviceServerTest, WhoeverHangsUpLeavesNothing) {
  DeviceRequest request{.op = DeviceOp::kAllocate, .length = kServedCapacity};
  PutText("all of it", request.label);
  EXPECT_EQ(CodeOf(request), StatusCode::kOk);
  EXPECT_FALSE(device_->Allocate("more", 1).ok());
  EXPECT_TRUE(End().ok());
  EXPECT_TRUE(device_->Allocate("more", kServedCapacity).ok());
}

TEST_F(DeviceServerTest, WhatIsNoRequestEndsIt) {
  const std::array<std::byte, 3> nonsense{};
  ASSERT_TRUE(wire::SendFrame(ours_.get(), nonsense, {}).ok());
  EXPECT_EQ(End().code(), StatusCode::kInvalidArgument);
}

TEST_F(DeviceServerTest, AnotherReleaseIsToldApart) {
  DeviceRequest request;
  request.version = kDeviceProtocolVersion + 1;
  ASSERT_TRUE(SendMessage(ours_.get(), request, -1).ok());
  EXPECT_EQ(End().code(), StatusCode::kInvalidArgument);
}

TEST(DeviceProtocolTest, TextsAreCutAndEnd) {
  char field[4];
  PutText("abcdef", field);
  EXPECT_EQ(TextOf(field), "abc");
  const char full[3] = {'a', 'b', 'c'};
  EXPECT_EQ(TextOf(full), "abc");
}

}  // namespace
}  // namespace trims
