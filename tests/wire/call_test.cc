#include "wire/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/model_limits.h"
#include "wire/messages_generated.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::byte> Encoded(const Call& call) {
  CallEncoder encoder;
  const std::span<const std::byte> bytes = encoder.Encode(call);
  return {bytes.begin(), bytes.end()};
}

Status StatusOf(const Call& call) {
  const std::vector<std::byte> bytes = Encoded(call);
  Call decoded;
  return DecodeCall(bytes, &decoded);
}

std::span<const std::byte> BytesOf(const flatbuffers::FlatBufferBuilder& builder) {
  return std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
}

TEST(CallTest, OpenComesThrough) {
  const std::vector<std::byte> bytes = Encoded({.id = 42,
                                                .client = "ocr",
                                                .body = OpenCall{.reference = "team/ocr:3",
                                                                 .variant = trims::Variant::kOrt,
                                                                 .variant_key = "ort-1.32",
                                                                 .deadline_ms = 250}});
  Call call;
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_EQ(call.id, 42U);
  EXPECT_EQ(call.client, "ocr");
  const OpenCall& open = std::get<OpenCall>(call.body);
  EXPECT_EQ(open.reference, "team/ocr:3");
  EXPECT_EQ(open.variant, trims::Variant::kOrt);
  EXPECT_EQ(open.variant_key, "ort-1.32");
  EXPECT_EQ(open.deadline_ms, 250U);
}

TEST(CallTest, EveryOtherCallComesThrough) {
  Call call;
  std::vector<std::byte> bytes = Encoded({.id = 1, .client = {}, .body = CloseCall{7}});
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_FALSE(call.client.has_value());
  EXPECT_EQ(std::get<CloseCall>(call.body).lease, 7U);
  bytes = Encoded({.id = 2,
                   .client = {},
                   .body = AddCall{.reference = "a",
                                   .source = "file:///b",
                                   .variants = {trims::Variant::kOrt, trims::Variant::kFiles}}});
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_EQ(std::get<AddCall>(call.body).source, "file:///b");
  EXPECT_THAT(std::get<AddCall>(call.body).variants,
              ElementsAre(trims::Variant::kOrt, trims::Variant::kFiles));
  bytes = Encoded({.id = 3, .client = {}, .body = RemoveCall{"gone"}});
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_EQ(std::get<RemoveCall>(call.body).reference, "gone");
  bytes = Encoded({.id = 4, .client = {}, .body = ShowCall{"shown"}});
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_EQ(std::get<ShowCall>(call.body).reference, "shown");
  bytes = Encoded({.id = 5, .client = {}, .body = ListCall{}});
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_TRUE(std::holds_alternative<ListCall>(call.body));
  bytes = Encoded({.id = 6, .client = {}, .body = StatusCall{}});
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_TRUE(std::holds_alternative<StatusCall>(call.body));
}

TEST(CallTest, LimitsAreEnforced) {
  const std::string reference(kMaxReferenceBytes + 1, 'r');
  EXPECT_EQ(StatusOf({.id = 1, .client = {}, .body = OpenCall{.reference = reference}}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(StatusOf({.id = 1, .client = {}, .body = ShowCall{reference}}).code(),
            StatusCode::kInvalidArgument);
  const std::string key(kMaxVariantKeyBytes + 1, 'k');
  EXPECT_EQ(
      StatusOf({.id = 1, .client = {}, .body = OpenCall{.reference = "a", .variant_key = key}})
          .code(),
      StatusCode::kInvalidArgument);
  const std::string source(kMaxSourceBytes + 1, 's');
  EXPECT_EQ(
      StatusOf({.id = 1, .client = {}, .body = AddCall{.reference = "a", .source = source}}).code(),
      StatusCode::kInvalidArgument);
  const std::vector<trims::Variant> variants(kMaxVariants + 1, trims::Variant::kOrt);
  EXPECT_EQ(StatusOf({.id = 1,
                      .client = {},
                      .body = AddCall{.reference = "a", .source = "s", .variants = variants}})
                .code(),
            StatusCode::kInvalidArgument);
}

TEST(CallTest, ANulByteInATextIsRefused) {
  const Status status =
      StatusOf({.id = 1, .client = {}, .body = ShowCall{std::string_view("a\0b", 3)}});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("NUL"));
}

TEST(CallTest, ALongClientNameIsCutAtACharacter) {
  std::string name(kMaxClientNameBytes - 1, 'n');
  name += "\xc3\xa4";  // two bytes, of which only one would fit
  const std::vector<std::byte> bytes = Encoded({.id = 1, .client = name, .body = ListCall{}});
  Call call;
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_EQ(call.client, std::string(kMaxClientNameBytes - 1, 'n'));
}

Status StatusOfClientNamed(const std::string& name) {
  flatbuffers::FlatBufferBuilder builder;
  const auto hello = CreateHello(builder, builder.CreateString(name));
  const auto body = CreateListRequest(builder).Union();
  builder.Finish(
      CreateRequest(builder, kProtocolVersion, 5, hello, RequestBody::ListRequest, body));
  Call call;
  return DecodeCall(BytesOf(builder), &call);
}

TEST(CallTest, AClientNameWithNulOrControlCharactersIsRefused) {
  EXPECT_THAT(StatusOfClientNamed(std::string("a\0b", 3)).message(), HasSubstr("NUL"));
  const std::string beyond_the_cut = std::string(kMaxClientNameBytes, 'n') + "\n";
  for (const std::string& name :
       {std::string("a\nb"), std::string("\x1b[31m"), std::string("\x7f"), beyond_the_cut}) {
    EXPECT_EQ(StatusOfClientNamed(name).code(), StatusCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(StatusOfClientNamed(std::string(kMaxClientNameBytes + 1, 'n')).ok());
  EXPECT_TRUE(StatusOfClientNamed("gr\xc3\xb6\xc3\x9f"
                                  "e (2)")
                  .ok());
}

// A program's own name is sent without anybody having looked at it.
TEST(CallTest, ControlCharactersOfAnOwnNameAreNotSent) {
  const std::vector<std::byte> bytes =
      Encoded({.id = 1, .client = "odd\nname", .body = ListCall{}});
  Call call;
  ASSERT_TRUE(DecodeCall(bytes, &call).ok());
  EXPECT_EQ(call.client, "odd?name");
}

TEST(CallTest, AnotherVersionIsToldSoUnderItsId) {
  flatbuffers::FlatBufferBuilder builder;
  const auto body = CreateListRequest(builder).Union();
  builder.Finish(
      CreateRequest(builder, kProtocolVersion + 1, 77, 0, RequestBody::ListRequest, body));
  Call call;
  const Status status = DecodeCall(BytesOf(builder), &call);
  EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(status.message(), HasSubstr("version 2"));
  EXPECT_EQ(call.id, 77U);
}

TEST(CallTest, ARequestOfTheFutureIsUnimplemented) {
  flatbuffers::FlatBufferBuilder builder;
  const auto body = CreateListRequest(builder).Union();
  builder.Finish(
      CreateRequest(builder, kProtocolVersion, 78, 0, static_cast<RequestBody>(200), body));
  Call call;
  EXPECT_EQ(DecodeCall(BytesOf(builder), &call).code(), StatusCode::kUnimplemented);
  EXPECT_EQ(call.id, 78U);
}

TEST(CallTest, AnUnknownVariantIsUnimplemented) {
  EXPECT_EQ(
      StatusOf({.id = 1,
                .client = {},
                .body = OpenCall{.reference = "a", .variant = static_cast<trims::Variant>(9)}})
          .code(),
      StatusCode::kUnimplemented);
}

TEST(CallTest, ShortAndGarbageFramesAreInvalid) {
  const std::vector<std::byte> bytes =
      Encoded({.id = 9, .client = "c", .body = OpenCall{.reference = "m"}});
  Call call;
  // The last bytes of a buffer may be padding.
  for (size_t size = 0; size + 4 < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeCall(std::span(bytes).first(size), &call).ok()) << size;
  }
  const std::vector<std::byte> zeros(4096);
  EXPECT_EQ(DecodeCall(zeros, &call).code(), StatusCode::kInvalidArgument);
  const std::vector<std::byte> ones(4096, std::byte{0xff});
  EXPECT_EQ(DecodeCall(ones, &call).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(call.id, 0U);
}

// What it decodes to does not matter; the sanitizers watch.
TEST(CallTest, FlippedBitsNeverCrash) {
  const std::vector<std::byte> bytes =
      Encoded({.id = 9,
               .client = "client",
               .body = AddCall{
                   .reference = "m", .source = "file:///x", .variants = {trims::Variant::kOrt}}});
  int refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    Call call;
    refused += DecodeCall(flipped, &call).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace trims::wire
