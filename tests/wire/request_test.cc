#include "wire/request.h"

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

constexpr std::string_view kTraceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::vector<std::byte> Encoded(const Request& request) {
  RequestEncoder encoder;
  const std::span<const std::byte> bytes = encoder.Encode(request);
  return {bytes.begin(), bytes.end()};
}

Status StatusOf(const Request& request) {
  const std::vector<std::byte> bytes = Encoded(request);
  Request decoded;
  return DecodeRequest(bytes, &decoded);
}

std::span<const std::byte> BytesOf(const flatbuffers::FlatBufferBuilder& builder) {
  return std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
}

TEST(RequestTest, OpenComesThrough) {
  const std::vector<std::byte> bytes = Encoded({.id = 42,
                                                .client = "ocr",
                                                .body = OpenRequest{.reference = "team/ocr:3",
                                                                    .variant = Variant::kOrt,
                                                                    .variant_key = "ort-1.32",
                                                                    .deadline_ms = 250,
                                                                    .tier = "gpu:0",
                                                                    .progress = true,
                                                                    .traceparent = kTraceparent}});
  Request request;
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(request.id, 42U);
  EXPECT_EQ(request.client, "ocr");
  const OpenRequest& open = std::get<OpenRequest>(request.body);
  EXPECT_EQ(open.reference, "team/ocr:3");
  EXPECT_EQ(open.variant, Variant::kOrt);
  EXPECT_EQ(open.variant_key, "ort-1.32");
  EXPECT_EQ(open.deadline_ms, 250U);
  EXPECT_EQ(open.tier, "gpu:0");
  EXPECT_TRUE(open.progress);
  EXPECT_EQ(open.traceparent, kTraceparent);
}

// What an earlier release sends and what nobody asked for cost a frame nothing.
TEST(RequestTest, ProgressThatIsNotWantedIsNotSent) {
  const std::vector<std::byte> bytes =
      Encoded({.id = 1, .client = {}, .body = OpenRequest{.reference = "ocr"}});
  Request request;
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_FALSE(std::get<OpenRequest>(request.body).progress);
  EXPECT_LT(
      bytes.size(),
      Encoded({.id = 1, .client = {}, .body = OpenRequest{.reference = "ocr", .progress = true}})
          .size());
}

TEST(RequestTest, EveryOtherComesThrough) {
  Request request;
  std::vector<std::byte> bytes = Encoded({.id = 1, .client = {}, .body = CloseRequest{7}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_FALSE(request.client.has_value());
  EXPECT_EQ(std::get<CloseRequest>(request.body).lease, 7U);
  bytes = Encoded({.id = 2,
                   .client = {},
                   .body = AddRequest{.reference = "a",
                                      .source = "file:///b",
                                      .variants = {Variant::kOrt, Variant::kFiles},
                                      .keep_versions = 3,
                                      .keep_for_s = 60}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<AddRequest>(request.body).source, "file:///b");
  EXPECT_EQ(std::get<AddRequest>(request.body).keep_versions, 3U);
  EXPECT_EQ(std::get<AddRequest>(request.body).keep_for_s, 60U);
  EXPECT_THAT(std::get<AddRequest>(request.body).variants,
              ElementsAre(Variant::kOrt, Variant::kFiles));
  bytes = Encoded({.id = 3, .client = {}, .body = RemoveRequest{"gone"}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<RemoveRequest>(request.body).reference, "gone");
  bytes = Encoded({.id = 4, .client = {}, .body = ShowRequest{"shown"}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<ShowRequest>(request.body).reference, "shown");
  bytes = Encoded({.id = 4, .client = {}, .body = VerifyRequest{"verified", 7}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<VerifyRequest>(request.body).reference, "verified");
  EXPECT_EQ(std::get<VerifyRequest>(request.body).bytes_per_second, 7U);
  bytes = Encoded({.id = 0, .client = {}, .body = CancelRequest{8}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<CancelRequest>(request.body).request, 8U);
  bytes = Encoded({.id = 4, .client = {}, .body = PushRequest{"pushed", "file:///there"}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<PushRequest>(request.body).reference, "pushed");
  EXPECT_EQ(std::get<PushRequest>(request.body).destination, "file:///there");
  bytes = Encoded({.id = 4,
                   .client = {},
                   .body = PolicyRequest{.tier = "host",
                                         .eviction = "lru",
                                         .reclaim = "lazy",
                                         .budget = "8GiB",
                                         .quota = "a:leases=1"}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<PolicyRequest>(request.body).tier, "host");
  EXPECT_EQ(std::get<PolicyRequest>(request.body).eviction, "lru");
  EXPECT_EQ(std::get<PolicyRequest>(request.body).admission, "");
  EXPECT_EQ(std::get<PolicyRequest>(request.body).reclaim, "lazy");
  EXPECT_EQ(std::get<PolicyRequest>(request.body).budget, "8GiB");
  EXPECT_EQ(std::get<PolicyRequest>(request.body).quota, "a:leases=1");
  bytes = Encoded({.id = 4,
                   .client = {},
                   .body = ControlRequest{.verb = ControlVerb::kEvict,
                                          .reference = "gone",
                                          .tier = "gpu:0",
                                          .variants = {Variant::kOrt, Variant::kFiles},
                                          .wait = true,
                                          .when_idle = true,
                                          .keep_alive = "10m"}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  const ControlRequest& control = std::get<ControlRequest>(request.body);
  EXPECT_EQ(control.verb, ControlVerb::kEvict);
  EXPECT_EQ(control.reference, "gone");
  EXPECT_EQ(control.alias, "");
  EXPECT_EQ(control.tier, "gpu:0");
  EXPECT_THAT(control.variants, ElementsAre(Variant::kOrt, Variant::kFiles));
  EXPECT_TRUE(control.wait);
  EXPECT_TRUE(control.when_idle);
  EXPECT_EQ(control.keep_alive, "10m");
  bytes = Encoded({.id = 4,
                   .client = {},
                   .body = ControlRequest{
                       .verb = ControlVerb::kSetAlias, .reference = "ocr:3", .alias = "prod"}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<ControlRequest>(request.body).alias, "prod");
  bytes = Encoded({.id = 4,
                   .client = {},
                   .body = EventsRequest{.since = 0,
                                         .kinds = {"segment", "open.miss"},
                                         .opens = true,
                                         .model = "ocr",
                                         .wait_ms = 7'000'000}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  const EventsRequest& events = std::get<EventsRequest>(request.body);
  EXPECT_EQ(events.since, 0U) << "all that are kept, which is not: those that come";
  EXPECT_EQ(events.opens_since, std::nullopt);
  EXPECT_THAT(events.kinds, ElementsAre("segment", "open.miss"));
  EXPECT_TRUE(events.opens);
  EXPECT_EQ(events.model, "ocr");
  EXPECT_EQ(events.wait_ms, kMaxEventsWaitMs);
  bytes = Encoded({.id = 4, .client = {}, .body = PolicyRequest{.tier = "no tier"}});
  EXPECT_EQ(DecodeRequest(bytes, &request).code(), StatusCode::kInvalidArgument);
  bytes = Encoded({.id = 4, .client = {}, .body = VerifyRequest{}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(std::get<VerifyRequest>(request.body).reference, "");
  bytes = Encoded({.id = 5, .client = {}, .body = ListRequest{}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_TRUE(std::holds_alternative<ListRequest>(request.body));
  bytes = Encoded({.id = 6, .client = {}, .body = StatusRequest{}});
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_TRUE(std::holds_alternative<StatusRequest>(request.body));
}

TEST(RequestTest, LimitsAreEnforced) {
  const std::string reference(kMaxReferenceBytes + 1, 'r');
  EXPECT_EQ(StatusOf({.id = 1, .client = {}, .body = OpenRequest{.reference = reference}}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(StatusOf({.id = 1, .client = {}, .body = ShowRequest{reference}}).code(),
            StatusCode::kInvalidArgument);
  const std::string key(kMaxVariantKeyBytes + 1, 'k');
  EXPECT_EQ(
      StatusOf({.id = 1, .client = {}, .body = OpenRequest{.reference = "a", .variant_key = key}})
          .code(),
      StatusCode::kInvalidArgument);
  const std::string source(kMaxSourceBytes + 1, 's');
  EXPECT_EQ(
      StatusOf({.id = 1, .client = {}, .body = AddRequest{.reference = "a", .source = source}})
          .code(),
      StatusCode::kInvalidArgument);
  const std::vector<Variant> variants(kMaxVariants + 1, Variant::kOrt);
  EXPECT_EQ(StatusOf({.id = 1,
                      .client = {},
                      .body = AddRequest{.reference = "a", .source = "s", .variants = variants}})
                .code(),
            StatusCode::kInvalidArgument);
}

TEST(RequestTest, ANulByteInATextIsRefused) {
  const Status status =
      StatusOf({.id = 1, .client = {}, .body = ShowRequest{std::string_view("a\0b", 3)}});
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("NUL"));
}

TEST(RequestTest, ALongClientNameIsCutAtACharacter) {
  std::string name(kMaxClientNameBytes - 1, 'n');
  name += "\xc3\xa4";  // two bytes, of which only one would fit
  const std::vector<std::byte> bytes = Encoded({.id = 1, .client = name, .body = ListRequest{}});
  Request request;
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(request.client, std::string(kMaxClientNameBytes - 1, 'n'));
}

Status StatusOfClientNamed(const std::string& name) {
  flatbuffers::FlatBufferBuilder builder;
  const auto hello = fb::CreateHello(builder, builder.CreateString(name));
  const auto body = fb::CreateListRequest(builder).Union();
  builder.Finish(
      fb::CreateRequest(builder, kProtocolVersion, 5, hello, fb::RequestBody::ListRequest, body));
  Request request;
  return DecodeRequest(BytesOf(builder), &request);
}

TEST(RequestTest, AClientNameWithNulOrControlCharactersIsRefused) {
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
TEST(RequestTest, ControlCharactersOfAnOwnNameAreNotSent) {
  const std::vector<std::byte> bytes =
      Encoded({.id = 1, .client = "odd\nname", .body = ListRequest{}});
  Request request;
  ASSERT_TRUE(DecodeRequest(bytes, &request).ok());
  EXPECT_EQ(request.client, "odd?name");
}

TEST(RequestTest, AnotherVersionIsToldSoUnderItsId) {
  for (const int version : {kProtocolVersion - 1, kProtocolVersion + 1}) {
    flatbuffers::FlatBufferBuilder builder;
    const auto body = fb::CreateListRequest(builder).Union();
    builder.Finish(fb::CreateRequest(builder, static_cast<uint16_t>(version), 77, 0,
                                     fb::RequestBody::ListRequest, body));
    Request request;
    const Status status = DecodeRequest(BytesOf(builder), &request);
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
    EXPECT_THAT(status.message(), HasSubstr("speaks version " + std::to_string(version)));
    EXPECT_THAT(status.message(),
                HasSubstr("this program version " + std::to_string(kProtocolVersion)));
    EXPECT_EQ(request.id, 77U);
  }
}

TEST(RequestTest, ATierHasANarrowName) {
  for (const char* name : {"host", "gpu:0", "0"}) EXPECT_TRUE(CheckTierName(name).ok()) << name;
  const std::string longest(kMaxTierBytes, 'a');
  EXPECT_TRUE(CheckTierName(longest).ok());
  for (const std::string& name : {std::string(), std::string("Host"), std::string("a b"),
                                  std::string("h\0", 2), std::string("\xc3\xa4"), longest + "a"}) {
    EXPECT_EQ(CheckTierName(name).code(), StatusCode::kInvalidArgument) << name;
    if (name.empty()) continue;  // the host's
    EXPECT_EQ(StatusOf({.id = 1, .client = {}, .body = OpenRequest{.reference = "a", .tier = name}})
                  .code(),
              StatusCode::kInvalidArgument)
        << name;
  }
}

TEST(RequestTest, ATraceparentIsOneOrIsRefused) {
  const std::string longer = std::string(kTraceparent) + "-more";
  for (const std::string& text : {std::string("00-x"), longer, std::string(1000, '0')}) {
    EXPECT_EQ(
        StatusOf(
            {.id = 1, .client = {}, .body = OpenRequest{.reference = "a", .traceparent = text}})
            .code(),
        StatusCode::kInvalidArgument)
        << text;
  }
}

TEST(RequestTest, ARequestOfTheFutureIsUnimplemented) {
  flatbuffers::FlatBufferBuilder builder;
  const auto body = fb::CreateListRequest(builder).Union();
  builder.Finish(
      fb::CreateRequest(builder, kProtocolVersion, 78, 0, static_cast<fb::RequestBody>(200), body));
  Request request;
  EXPECT_EQ(DecodeRequest(BytesOf(builder), &request).code(), StatusCode::kUnimplemented);
  EXPECT_EQ(request.id, 78U);
}

TEST(RequestTest, AnUnknownVariantIsUnimplemented) {
  EXPECT_EQ(StatusOf({.id = 1,
                      .client = {},
                      .body = OpenRequest{.reference = "a", .variant = static_cast<Variant>(9)}})
                .code(),
            StatusCode::kUnimplemented);
}

TEST(RequestTest, WhatACommandNamesHasLimitsAndACommandOfTheFutureIsUnimplemented) {
  const std::string longer(kMaxReferenceBytes + 1, 'r');
  const std::vector<Variant> variants(kMaxVariants + 1, Variant::kOrt);
  for (const ControlRequest& beyond :
       {ControlRequest{.reference = longer}, ControlRequest{.alias = longer},
        ControlRequest{.tier = "no tier"}, ControlRequest{.variants = variants},
        ControlRequest{.alias = std::string_view("a\0b", 3)}}) {
    EXPECT_EQ(StatusOf({.id = 1, .client = {}, .body = beyond}).code(),
              StatusCode::kInvalidArgument);
  }
  const std::string long_kind(kMaxEventKindBytes + 1, 'k');
  const std::vector<std::string_view> many_kinds(kMaxEventKinds + 1, "segment");
  for (const EventsRequest& beyond :
       {EventsRequest{.kinds = {long_kind}}, EventsRequest{.kinds = many_kinds},
        EventsRequest{.model = longer}}) {
    EXPECT_EQ(StatusOf({.id = 1, .client = {}, .body = beyond}).code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_EQ(
      StatusOf(
          {.id = 1, .client = {}, .body = ControlRequest{.verb = static_cast<ControlVerb>(99)}})
          .code(),
      StatusCode::kUnimplemented);
}

TEST(RequestTest, ShortAndGarbageFramesAreInvalid) {
  const std::vector<std::byte> bytes =
      Encoded({.id = 9, .client = "c", .body = OpenRequest{.reference = "m"}});
  Request request;
  // The last bytes of a buffer may be padding.
  for (size_t size = 0; size + 4 < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeRequest(std::span(bytes).first(size), &request).ok()) << size;
  }
  const std::vector<std::byte> zeros(4096);
  EXPECT_EQ(DecodeRequest(zeros, &request).code(), StatusCode::kInvalidArgument);
  const std::vector<std::byte> ones(4096, std::byte{0xff});
  EXPECT_EQ(DecodeRequest(ones, &request).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(request.id, 0U);
}

// What it decodes to does not matter; the sanitizers watch.
TEST(RequestTest, FlippedBitsNeverCrash) {
  const std::vector<std::byte> bytes = Encoded(
      {.id = 9,
       .client = "client",
       .body = AddRequest{.reference = "m", .source = "file:///x", .variants = {Variant::kOrt}}});
  int refused = 0;
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<std::byte> flipped = bytes;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    Request request;
    refused += DecodeRequest(flipped, &request).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace trims::wire
