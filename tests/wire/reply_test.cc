#include "wire/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "wire/messages_generated.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr ExtentInfo kExtents[] = {{4096, Pages::kSmall},
                                   {64, Pages::kSmall, HandleKind::kCudaIpc},
                                   {2 << 20, Pages::kTransparentHuge, static_cast<HandleKind>(7)}};

OpenReply SomeOpen() {
  return {.lease = 5,
          .reference = "default/ocr:1a2b",
          .digest = "d1",
          .variant = Variant::kTensors,
          .variant_key = "key",
          .index_length = 300,
          .extents = kExtents,
          .hit = true,
          .waited_us = 12,
          .tier = "gpu:0"};
}

TEST(ReplyTest, OpenComesThroughAndSurvivesAMove) {
  ReplyEncoder encoder;
  const std::span<const std::byte> bytes = encoder.Open(8, SomeOpen());
  Reply reply;
  ASSERT_TRUE(DecodeReply(bytes, &reply).ok());
  const Reply moved = std::move(reply);
  EXPECT_EQ(moved.id, 8U);
  const OpenReply& open = std::get<OpenReply>(moved.body);
  EXPECT_EQ(open.lease, 5U);
  EXPECT_EQ(open.reference, "default/ocr:1a2b");
  EXPECT_EQ(open.digest, "d1");
  EXPECT_EQ(open.variant, Variant::kTensors);
  EXPECT_EQ(open.variant_key, "key");
  EXPECT_EQ(open.index_length, 300U);
  EXPECT_TRUE(open.hit);
  EXPECT_EQ(open.waited_us, 12U);
  EXPECT_EQ(open.tier, "gpu:0");
  EXPECT_THAT(open.extents, ElementsAreArray(kExtents));
}

TEST(ReplyTest, RunsComeThrough) {
  constexpr uint64_t kLengths[] = {8192, 1};
  constexpr RunInfo kRuns[] = {{0, 4096, 4096}, {1, 0, 4096}, {1, 1 << 21, 1}};
  OpenReply open = SomeOpen();
  open.lengths = kLengths;
  open.runs = kRuns;
  ReplyEncoder encoder;
  Reply reply;
  ASSERT_TRUE(DecodeReply(encoder.Open(8, open), &reply).ok());
  const Reply moved = std::move(reply);
  EXPECT_THAT(std::get<OpenReply>(moved.body).lengths, ElementsAre(8192, 1));
  EXPECT_THAT(std::get<OpenReply>(moved.body).runs, ElementsAre(kRuns[0], kRuns[1], kRuns[2]));
}

TEST(ReplyTest, TheOthersComeThroughOneEncoder) {
  ReplyEncoder encoder;
  Reply reply;
  ASSERT_TRUE(DecodeReply(encoder.Document(1, {.length = 99}), &reply).ok());
  EXPECT_EQ(std::get<DocumentReply>(reply.body).length, 99U);
  const std::span<const std::byte> bytes =
      encoder.Progress(2, {.stage = "read", .done = 3, .total = 4, .bytes_per_second = 5});
  ASSERT_TRUE(DecodeReply(bytes, &reply).ok());
  EXPECT_EQ(std::get<ProgressReply>(reply.body).stage, "read");
  EXPECT_EQ(std::get<ProgressReply>(reply.body).done, 3U);
  EXPECT_EQ(std::get<ProgressReply>(reply.body).total, 4U);
  EXPECT_EQ(std::get<ProgressReply>(reply.body).bytes_per_second, 5U);
  ASSERT_TRUE(DecodeReply(encoder.Waiting(2, {.deadline_ms = 60'000}), &reply).ok());
  EXPECT_EQ(std::get<WaitingReply>(reply.body).deadline_ms, 60'000U);
  const Status status(StatusCode::kTooLarge, "too much", "less");
  ASSERT_TRUE(DecodeReply(encoder.Error(3, status), &reply).ok());
  EXPECT_EQ(reply.id, 3U);
  EXPECT_EQ(std::get<Status>(reply.body), status);
}

TEST(ReplyTest, TheLargestFitIntoAFrame) {
  ReplyEncoder encoder;
  const std::string text(1 << 20, 't');
  const std::vector<ExtentInfo> extents(kMaxExtents, {1, Pages::kSmall});
  OpenReply open = SomeOpen();
  open.reference = open.digest = open.variant_key = text;
  open.extents = extents;
  const std::vector<uint64_t> lengths(kMaxExtents, 1);
  const std::vector<RunInfo> runs(kMaxRuns, {1, 4096, 4096});
  open.lengths = lengths;
  open.runs = runs;
  Reply reply;
  std::span<const std::byte> bytes = encoder.Open(1, open);
  EXPECT_LE(bytes.size(), kMaxFrameBytes);
  EXPECT_TRUE(DecodeReply(bytes, &reply).ok());
  bytes = encoder.Error(1, Status(StatusCode::kInternal, text, text));
  EXPECT_LE(bytes.size(), kMaxFrameBytes);
  EXPECT_TRUE(DecodeReply(bytes, &reply).ok());
  bytes = encoder.Progress(1, {.stage = text});
  EXPECT_LE(bytes.size(), kMaxFrameBytes);
}

TEST(ReplyTest, AnErrorThatIsNoneIsTheDaemonsDefect) {
  for (const int code : {0, 15, 255}) {
    flatbuffers::FlatBufferBuilder builder;
    const auto body = fb::CreateErrorReply(builder, static_cast<uint8_t>(code)).Union();
    builder.Finish(fb::CreateReply(builder, kProtocolVersion, 1, fb::ReplyBody::ErrorReply, body));
    Reply reply;
    ASSERT_TRUE(
        DecodeReply(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())), &reply)
            .ok());
    EXPECT_EQ(std::get<Status>(reply.body).code(), StatusCode::kInternal);
  }
}

TEST(ReplyTest, AnotherVersionIsUnimplementedAndNamesBoth) {
  flatbuffers::FlatBufferBuilder builder;
  const auto body = fb::CreateDocumentReply(builder, 1).Union();
  builder.Finish(
      fb::CreateReply(builder, kProtocolVersion - 1, 1, fb::ReplyBody::DocumentReply, body));
  Reply reply;
  const Status status =
      DecodeReply(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())), &reply);
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_EQ(status.message(), "the peer speaks version " + std::to_string(kProtocolVersion - 1) +
                                  " of the protocol, this program version " +
                                  std::to_string(kProtocolVersion));
}

TEST(ReplyTest, NonsenseIsRefusedAndChangesNothing) {
  ReplyEncoder encoder;
  Reply reply;
  reply.id = 1234;
  OpenReply open = SomeOpen();
  open.index_length = 0;
  EXPECT_FALSE(DecodeReply(encoder.Open(1, open), &reply).ok());
  open = SomeOpen();
  const ExtentInfo empty[] = {{0, Pages::kSmall}};
  open.extents = empty;
  EXPECT_FALSE(DecodeReply(encoder.Open(1, open), &reply).ok());
  open = SomeOpen();
  open.variant = static_cast<Variant>(77);
  EXPECT_FALSE(DecodeReply(encoder.Open(1, open), &reply).ok());
  const std::vector<std::byte> zeros(64);
  EXPECT_FALSE(DecodeReply(zeros, &reply).ok());
  EXPECT_EQ(reply.id, 1234U);
}

TEST(ReplyTest, CutAndFlippedFramesNeverCrash) {
  ReplyEncoder encoder;
  const std::span<const std::byte> encoded = encoder.Open(1, SomeOpen());
  const std::vector<std::byte> bytes(encoded.begin(), encoded.end());
  Reply reply;
  // The last bytes of a buffer may be padding.
  for (size_t size = 0; size + 4 < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeReply(std::span(bytes).first(size), &reply).ok()) << size;
  }
  int refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    refused += DecodeReply(flipped, &reply).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace trims::wire
