// One client and what it may rely on, and what it does wrong.
#include "server/session.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <string>
#include <vector>

#include "server/raw_client.h"
#include "server/server_harness.h"
#include "wire/messages_generated.h"
#include "wire/protocol.h"

namespace trims::test {
namespace {

using ::testing::HasSubstr;

std::vector<std::byte> Garbage(size_t size) {
  std::vector<std::byte> bytes(size);
  unsigned state = 12345;
  for (std::byte& byte : bytes)
    byte = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::vector<std::byte> RequestOfVersion(uint16_t version) {
  flatbuffers::FlatBufferBuilder builder;
  const auto body = ::trims::wire::fb::CreateListRequest(builder);
  builder.Finish(::trims::wire::fb::CreateRequest(
      builder, version, 77, 0, ::trims::wire::fb::RequestBody::ListRequest, body.Union()));
  const auto* data = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  return {data, data + builder.GetSize()};
}

class SessionTest : public ::testing::Test {
 protected:
  // Every test ends with it: whatever one client did, another is served and nothing is left behind.
  void ExpectOthersServed() {
    RawClient other(harness_.socket_path());
    EXPECT_TRUE(other.OpenLease("ocr").ok());
    EXPECT_TRUE(bystander_.OpenLease("ocr").ok());
  }

  // The reply that a client gets before it is dropped.
  static StatusCode LastWords(RawClient* client, uint64_t* id = nullptr) {
    const Result<const wire::Reply*> reply = client->Receive();
    if (!reply.ok()) return reply.status().code();
    if (id != nullptr) *id = (*reply)->id;
    const auto* error = std::get_if<Status>(&(*reply)->body);
    return error == nullptr ? StatusCode::kOk : error->code();
  }

  void SetUp() override {
    harness_.AddModel("ocr", 2);
    ASSERT_TRUE(bystander_.OpenLease("ocr").ok());
  }

  ServerHarness harness_;
  RawClient bystander_{harness_.socket_path()};
};

TEST_F(SessionTest, AnOpenBringsTheLeaseAndItsDescriptors) {
  RawClient client(harness_.socket_path());
  const Result<const wire::Reply*> reply = client.Ask(wire::OpenRequest{.reference = "ocr"}, 42);
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ((*reply)->id, 42u);
  const auto& open = std::get<wire::OpenReply>((*reply)->body);
  EXPECT_TRUE(open.hit);
  EXPECT_EQ(open.reference, "default/ocr:1");
  EXPECT_EQ(open.index_length, 64u);
  ASSERT_EQ(open.extents.size(), 2u);
  ASSERT_EQ(client.fds().size(), 3u);
  for (const UniqueFd& fd : client.fds())
    EXPECT_EQ(::fcntl(fd.get(), F_GETFL) & O_ACCMODE, O_RDONLY);
}

TEST_F(SessionTest, TwoClientsGetTheSamePages) {
  RawClient one(harness_.socket_path());
  RawClient two(harness_.socket_path());
  ASSERT_TRUE(one.OpenLease("ocr").ok());
  ASSERT_TRUE(two.OpenLease("ocr").ok());
  struct stat a;
  struct stat b;
  ASSERT_EQ(::fstat(one.fds().at(1).get(), &a), 0);
  ASSERT_EQ(::fstat(two.fds().at(1).get(), &b), 0);
  EXPECT_EQ(a.st_ino, b.st_ino);
}

TEST_F(SessionTest, ACloseEndsTheLeaseAndHasNoReply) {
  RawClient client(harness_.socket_path());
  const Result<uint64_t> lease = client.OpenLease("ocr");
  ASSERT_TRUE(lease.ok());
  EXPECT_EQ(harness_.StatusDocument()["leases"], 2);
  ASSERT_TRUE(client.Send(wire::CloseRequest{.lease = *lease}).ok());
  ASSERT_TRUE(client.Send(wire::CloseRequest{.lease = *lease}).ok());  // twice does no harm
  ASSERT_TRUE(client.Document(wire::ListRequest{}).ok());  // the next reply is this one's
  EXPECT_EQ(harness_.StatusDocument()["leases"], 1);
}

TEST_F(SessionTest, TheEndOfAConnectionEndsItsLeasesAndItsWaiting) {
  harness_.AddModel("slow");
  harness_.HoldLoads();
  RawClient client(harness_.socket_path());
  ASSERT_TRUE(client.OpenLease("ocr").ok());
  ASSERT_TRUE(client.Send(wire::OpenRequest{.reference = "slow"}).ok());
  ASSERT_EQ(harness_.StatusDocument()["waiters"], 1);
  client.Disconnect();
  const nlohmann::json status = harness_.StatusDocument();
  EXPECT_EQ(status["leases"], 1);
  EXPECT_EQ(status["waiters"], 0);
  EXPECT_EQ(status["server"]["requests_in_flight"], 0);
  harness_.ReleaseLoads();
  ExpectOthersServed();
}

TEST_F(SessionTest, AMissIsAnsweredWhenItIsThere) {
  harness_.AddModel("slow");
  harness_.HoldLoads();
  RawClient client(harness_.socket_path());
  ASSERT_TRUE(client.Send(wire::OpenRequest{.reference = "slow"}, 5).ok());
  // What is asked meanwhile is answered meanwhile.
  ASSERT_TRUE(client.Document(wire::ListRequest{}).ok());
  harness_.ReleaseLoads();
  const Result<const wire::Reply*> reply = client.Receive();
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ((*reply)->id, 5u);
  EXPECT_FALSE(std::get<wire::OpenReply>((*reply)->body).hit);
}

TEST_F(SessionTest, AnOpenThatNamesNoDeadlineIsToldTheDefaultIfItWaits) {
  harness_.AddModel("slow");
  harness_.HoldLoads();
  RawClient named(harness_.socket_path());
  RawClient unnamed(harness_.socket_path());
  ASSERT_TRUE(named.Send(wire::OpenRequest{.reference = "slow", .deadline_ms = 30'000}).ok());
  ASSERT_TRUE(unnamed.Send(wire::OpenRequest{.reference = "slow"}).ok());
  while (harness_.StatusDocument()["waiters"] != 2) {
  }
  harness_.ReleaseLoads();
  ASSERT_TRUE(named.Receive().ok());
  EXPECT_EQ(named.told_deadline_ms(), 0u);
  ASSERT_TRUE(unnamed.Receive().ok());
  EXPECT_EQ(unnamed.told_deadline_ms(), 60'000u);
  ASSERT_TRUE(unnamed.OpenLease("ocr").ok());
  EXPECT_EQ(unnamed.told_deadline_ms(), 0u);
}

TEST_F(SessionTest, AnOpenSaysWhichTierServesIt) {
  RawClient client(harness_.socket_path());
  for (const char* tier : {"", "host"}) {
    const auto reply = client.Ask(wire::OpenRequest{.reference = "ocr", .tier = tier});
    ASSERT_TRUE(reply.ok()) << reply.status().ToString();
    EXPECT_EQ(std::get<wire::OpenReply>((*reply)->body).tier, "host");
  }
  const Status none = client.Ask(wire::OpenRequest{.reference = "ocr", .tier = "gpu:0"}).status();
  EXPECT_EQ(none.code(), StatusCode::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("host"));
}

TEST_F(SessionTest, AnOpenThatFailsSaysWhy) {
  RawClient client(harness_.socket_path());
  EXPECT_EQ(client.OpenLease("nobody").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(client.OpenLease("///").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(
      client.Ask(wire::OpenRequest{.reference = "ocr", .variant = Variant::kOrt}).status().code(),
      StatusCode::kNotFound);
  EXPECT_TRUE(client.OpenLease("ocr").ok());
}

TEST_F(SessionTest, DocumentsAreSealedAndTheServerAddsItsPart) {
  RawClient client(harness_.socket_path());
  const Result<std::string> list = client.Document(wire::ListRequest{});
  ASSERT_TRUE(list.ok());
  EXPECT_THAT(*list, HasSubstr("default/ocr"));
  EXPECT_NE(::fcntl(client.fds().at(0).get(), F_GET_SEALS) & F_SEAL_WRITE, 0);
  EXPECT_TRUE(client.Document(wire::ShowRequest{.reference = "ocr"}).ok());
  EXPECT_EQ(client.Document(wire::ShowRequest{.reference = "no"}).status().code(),
            StatusCode::kNotFound);
  const nlohmann::json server = harness_.StatusDocument()["server"];
  EXPECT_EQ(server["pid"], ::getpid());
  EXPECT_EQ(server["connections"], 3);
}

TEST_F(SessionTest, AddAnswersEvenIfItCant) {
  RawClient client(harness_.socket_path());
  const Status status =
      client.Ask(wire::AddRequest{.reference = "x", .source = "file:///nowhere", .variants = {}})
          .status();
  EXPECT_FALSE(status.ok());
  ExpectOthersServed();
}

TEST_F(SessionTest, GarbageIsAnsweredAndItsSenderDropped) {
  for (const size_t size : {size_t{1}, size_t{3}, size_t{64}, size_t{4096}, wire::kMaxFrameBytes}) {
    RawClient client(harness_.socket_path());
    ASSERT_TRUE(client.SendBytes(Garbage(size)).ok());
    EXPECT_EQ(LastWords(&client), StatusCode::kInvalidArgument) << size;
    EXPECT_TRUE(client.WaitForEnd()) << size;
  }
  EXPECT_EQ(harness_.Counters().violations, 5u);
  ExpectOthersServed();
}

size_t CountOf(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

// Each line of its own or counted in one of the lines about the rest, and not all of them lines.
TEST_F(SessionTest, AStormOfViolationsDoesNotFillTheLog) {
  constexpr size_t kViolations = 200;
  const std::string kSuppressed = "connection.violations_suppressed count=";
  ::testing::internal::CaptureStderr();
  for (size_t i = 0; i < kViolations; ++i) {
    RawClient client(harness_.socket_path());
    ASSERT_TRUE(client.SendBytes(Garbage(64)).ok());
    EXPECT_TRUE(client.WaitForEnd());
  }
  harness_.StopServer();
  const std::string log = ::testing::internal::GetCapturedStderr();
  size_t told = CountOf(log, "connection.violation ");
  EXPECT_LT(told, kViolations);
  for (size_t at = 0; (at = log.find(kSuppressed, at)) != std::string::npos;) {
    at += kSuppressed.size();
    told += std::stoul(log.substr(at));
  }
  EXPECT_EQ(told, kViolations) << log;
}

TEST_F(SessionTest, AnOversizeFrameIsAnsweredAndItsSenderDropped) {
  RawClient client(harness_.socket_path());
  const std::vector<std::byte> bytes = Garbage(wire::kMaxFrameBytes + 1);
  ASSERT_EQ(::send(client.socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
  EXPECT_EQ(LastWords(&client), StatusCode::kInvalidArgument);
  EXPECT_TRUE(client.WaitForEnd());
  ExpectOthersServed();
}

TEST_F(SessionTest, AnEmptyFrameIsTheEndOfAConnection) {
  RawClient client(harness_.socket_path());
  ASSERT_EQ(::send(client.socket(), "", 0, MSG_NOSIGNAL), 0);
  EXPECT_TRUE(client.WaitForEnd());
  ExpectOthersServed();
}

TEST_F(SessionTest, AnUnknownVersionIsAnsweredWithTheIdOfItsRequest) {
  RawClient client(harness_.socket_path());
  ASSERT_TRUE(client.SendBytes(RequestOfVersion(wire::kProtocolVersion + 1)).ok());
  uint64_t id = 0;
  EXPECT_EQ(LastWords(&client, &id), StatusCode::kUnimplemented);
  EXPECT_EQ(id, 77u);
  EXPECT_TRUE(client.WaitForEnd());
  ExpectOthersServed();
}

TEST_F(SessionTest, DescriptorsNobodyAskedForAreClosedAndTheirSenderDropped) {
  wire::RequestEncoder encoder;
  wire::Request request;
  request.body = wire::OpenRequest{.reference = "ocr"};
  const std::span<const std::byte> frame = encoder.Encode(request);
  const std::vector<std::byte> bytes(frame.begin(), frame.end());
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  RawClient client(harness_.socket_path());
  const std::vector<int> fds(20, write_end.get());
  ASSERT_TRUE(client.SendBytes(bytes, fds).ok());
  EXPECT_EQ(LastWords(&client), StatusCode::kInvalidArgument);
  EXPECT_TRUE(client.WaitForEnd());
  // No copy of the write end is left: the pipe is at its end.
  write_end.reset();
  char byte;
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0);
  ExpectOthersServed();
}

TEST_F(SessionTest, LeasesOfADroppedClientEnd) {
  RawClient client(harness_.socket_path());
  ASSERT_TRUE(client.OpenLease("ocr").ok());
  ASSERT_TRUE(client.SendBytes(Garbage(100)).ok());
  ASSERT_TRUE(client.WaitForEnd());
  EXPECT_EQ(harness_.StatusDocument()["leases"], 1);
}

TEST_F(SessionTest, AHalfClosedConnectionEnds) {
  RawClient client(harness_.socket_path());
  ASSERT_TRUE(client.OpenLease("ocr").ok());
  ASSERT_EQ(::shutdown(client.socket(), SHUT_WR), 0);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(harness_.StatusDocument()["leases"], 1);
}

TEST_F(SessionTest, StoppingAnswersWhatWaits) {
  harness_.AddModel("slow");
  harness_.HoldLoads();
  RawClient client(harness_.socket_path());
  ASSERT_TRUE(client.Send(wire::OpenRequest{.reference = "slow"}, 9).ok());
  ASSERT_EQ(harness_.StatusDocument()["waiters"], 1);
  harness_.StopServer();
  uint64_t id = 0;
  EXPECT_EQ(LastWords(&client, &id), StatusCode::kUnavailable);
  EXPECT_EQ(id, 9u);
  EXPECT_TRUE(client.WaitForEnd());
  harness_.ReleaseLoads();
}

}  // namespace
}  // namespace trims::test
