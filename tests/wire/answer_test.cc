#include "wire/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "wire/messages_generated.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

using ::testing::ElementsAre;

constexpr ExtentInfo kExtents[] = {{4096, trims::Pages::kSmall},
                                   {2 << 20, trims::Pages::kTransparentHuge}};

OpenAnswer SomeOpen() {
  return {.lease = 5,
          .reference = "default/ocr:1a2b",
          .digest = "d1",
          .variant = trims::Variant::kTensors,
          .variant_key = "key",
          .index_length = 300,
          .extents = kExtents,
          .hit = true,
          .waited_us = 12};
}

TEST(AnswerTest, OpenComesThroughAndSurvivesAMove) {
  AnswerEncoder encoder;
  const std::span<const std::byte> bytes = encoder.Open(8, SomeOpen());
  Answer answer;
  ASSERT_TRUE(DecodeAnswer(bytes, &answer).ok());
  const Answer moved = std::move(answer);
  EXPECT_EQ(moved.id, 8U);
  const OpenAnswer& open = std::get<OpenAnswer>(moved.body);
  EXPECT_EQ(open.lease, 5U);
  EXPECT_EQ(open.reference, "default/ocr:1a2b");
  EXPECT_EQ(open.digest, "d1");
  EXPECT_EQ(open.variant, trims::Variant::kTensors);
  EXPECT_EQ(open.variant_key, "key");
  EXPECT_EQ(open.index_length, 300U);
  EXPECT_TRUE(open.hit);
  EXPECT_EQ(open.waited_us, 12U);
  EXPECT_THAT(open.extents, ElementsAre(kExtents[0], kExtents[1]));
}

TEST(AnswerTest, TheOthersComeThroughOneEncoder) {
  AnswerEncoder encoder;
  Answer answer;
  ASSERT_TRUE(DecodeAnswer(encoder.Document(1, {.length = 99}), &answer).ok());
  EXPECT_EQ(std::get<DocumentAnswer>(answer.body).length, 99U);
  const std::span<const std::byte> bytes =
      encoder.Progress(2, {.stage = "read", .done = 3, .total = 4});
  ASSERT_TRUE(DecodeAnswer(bytes, &answer).ok());
  EXPECT_EQ(std::get<ProgressAnswer>(answer.body).stage, "read");
  EXPECT_EQ(std::get<ProgressAnswer>(answer.body).done, 3U);
  EXPECT_EQ(std::get<ProgressAnswer>(answer.body).total, 4U);
  const Status status(StatusCode::kTooLarge, "too much", "less");
  ASSERT_TRUE(DecodeAnswer(encoder.Error(3, status), &answer).ok());
  EXPECT_EQ(answer.id, 3U);
  EXPECT_EQ(std::get<Status>(answer.body), status);
}

TEST(AnswerTest, TheLargestFitIntoAFrame) {
  AnswerEncoder encoder;
  const std::string text(1 << 20, 't');
  const std::vector<ExtentInfo> extents(kMaxExtents, {1, trims::Pages::kSmall});
  OpenAnswer open = SomeOpen();
  open.reference = open.digest = open.variant_key = text;
  open.extents = extents;
  Answer answer;
  std::span<const std::byte> bytes = encoder.Open(1, open);
  EXPECT_LE(bytes.size(), kMaxFrameBytes);
  EXPECT_TRUE(DecodeAnswer(bytes, &answer).ok());
  bytes = encoder.Error(1, Status(StatusCode::kInternal, text, text));
  EXPECT_LE(bytes.size(), kMaxFrameBytes);
  EXPECT_TRUE(DecodeAnswer(bytes, &answer).ok());
  bytes = encoder.Progress(1, {.stage = text});
  EXPECT_LE(bytes.size(), kMaxFrameBytes);
}

TEST(AnswerTest, AnErrorThatIsNoneIsTheDaemonsDefect) {
  for (const int code : {0, 15, 255}) {
    flatbuffers::FlatBufferBuilder builder;
    const auto body = CreateErrorReply(builder, static_cast<uint8_t>(code)).Union();
    builder.Finish(CreateReply(builder, kProtocolVersion, 1, ReplyBody::ErrorReply, body));
    Answer answer;
    ASSERT_TRUE(
        DecodeAnswer(std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())),
                     &answer)
            .ok());
    EXPECT_EQ(std::get<Status>(answer.body).code(), StatusCode::kInternal);
  }
}

TEST(AnswerTest, NonsenseIsRefusedAndChangesNothing) {
  AnswerEncoder encoder;
  Answer answer;
  answer.id = 1234;
  OpenAnswer open = SomeOpen();
  open.index_length = 0;
  EXPECT_FALSE(DecodeAnswer(encoder.Open(1, open), &answer).ok());
  open = SomeOpen();
  const ExtentInfo empty[] = {{0, trims::Pages::kSmall}};
  open.extents = empty;
  EXPECT_FALSE(DecodeAnswer(encoder.Open(1, open), &answer).ok());
  open = SomeOpen();
  open.variant = static_cast<trims::Variant>(77);
  EXPECT_FALSE(DecodeAnswer(encoder.Open(1, open), &answer).ok());
  const std::vector<std::byte> zeros(64);
  EXPECT_FALSE(DecodeAnswer(zeros, &answer).ok());
  EXPECT_EQ(answer.id, 1234U);
}

TEST(AnswerTest, CutAndFlippedFramesNeverCrash) {
  AnswerEncoder encoder;
  const std::span<const std::byte> encoded = encoder.Open(1, SomeOpen());
  const std::vector<std::byte> bytes(encoded.begin(), encoded.end());
  Answer answer;
  // The last bytes of a buffer may be padding.
  for (size_t size = 0; size + 4 < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeAnswer(std::span(bytes).first(size), &answer).ok()) << size;
  }
  int refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    refused += DecodeAnswer(flipped, &answer).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace trims::wire
