#include "wire/request.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/traceparent.h"
#include "wire/envelope.h"
#include "wire/messages_generated.h"
#include "wire/protocol.h"
#include "wire/text_in.h"

namespace trims::wire {
namespace {

// What is cast into the other, by value.
static_assert(static_cast<Variant>(fb::Variant::Files) == Variant::kFiles);
static_assert(static_cast<Variant>(fb::Variant::Tensors) == Variant::kTensors);
static_assert(static_cast<Variant>(fb::Variant::Ort) == Variant::kOrt);
static_assert(fb::Variant::MAX == fb::Variant::Ort);
static_assert(static_cast<ControlVerb>(fb::ControlVerb::Pin) == ControlVerb::kPin);
static_assert(static_cast<ControlVerb>(fb::ControlVerb::Undrain) == ControlVerb::kUndrain);
static_assert(static_cast<ControlVerb>(fb::ControlVerb::SetAlias) == ControlVerb::kSetAlias);
static_assert(static_cast<ControlVerb>(fb::ControlVerb::Rollback) == ControlVerb::kRollback);
static_assert(static_cast<ControlVerb>(fb::ControlVerb::Explain) == ControlVerb::kExplain);
static_assert(static_cast<ControlVerb>(fb::ControlVerb::Demote) == ControlVerb::kDemote);
static_assert(static_cast<ControlVerb>(fb::ControlVerb::KeepAlive) == ControlVerb::kKeepAlive);
static_assert(fb::ControlVerb::MAX == fb::ControlVerb::KeepAlive);

Result<Variant> VariantOf(fb::Variant value) {
  if (value > fb::Variant::MAX) {
    return Status(StatusCode::kUnimplemented,
                  "variant " + std::to_string(static_cast<int>(value)) + " is unknown here");
  }
  return static_cast<Variant>(value);
}

Status CheckReference(std::string_view reference) {
  return CheckText("the model reference", reference, kMaxReferenceBytes);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Its length is no matter: what is too long is cut.
Status DecodeHello(const fb::Hello& message, std::optional<std::string_view>* client) {
  const std::string_view name = TextOf(message.client());
  TRIMS_RETURN_IF_ERROR(CheckText("the client's name", name, name.size()));
  if (std::any_of(name.begin(), name.end(), IsControl)) {
    return Status(StatusCode::kInvalidArgument, "the client's name holds a control character");
  }
  *client = Cut(name, kMaxClientNameBytes);
  return Status();
}

// Version 00 alone: libtrims has read what its caller gave it.
Status CheckTraceparent(std::string_view text) {
  if (text.size() > kTraceparentBytes) {
    return Status(StatusCode::kInvalidArgument,
                  "a traceparent of more than " + std::to_string(kTraceparentBytes) + " bytes");
  }
  return ParseTraceparent(text).status();
}

Status Decode(const fb::OpenRequest& message, RequestBody* body) {
  TRIMS_RETURN_IF_ERROR(CheckReference(TextOf(message.reference())));
  TRIMS_RETURN_IF_ERROR(
      CheckText("the variant's key", TextOf(message.variant_key()), kMaxVariantKeyBytes));
  const std::string_view tier = TextOf(message.tier());
  if (!tier.empty()) TRIMS_RETURN_IF_ERROR(CheckTierName(tier));
  const std::string_view traceparent = TextOf(message.traceparent());
  if (!traceparent.empty()) TRIMS_RETURN_IF_ERROR(CheckTraceparent(traceparent));
  TRIMS_ASSIGN_OR_RETURN(const Variant variant, VariantOf(message.variant()));
  *body = OpenRequest{.reference = TextOf(message.reference()),
                      .variant = variant,
                      .variant_key = TextOf(message.variant_key()),
                      .deadline_ms = message.deadline_ms(),
                      .tier = tier,
                      .progress = message.progress(),
                      .traceparent = traceparent,
                      .runs = message.runs()};
  return Status();
}

Status DecodeExtensions(const fb::AddRequest& message, std::vector<std::string_view>* extensions) {
  if (message.onnxruntime_extensions() == nullptr) return Status();
  if (message.onnxruntime_extensions()->size() > kMaxExtensions) {
    return Status(StatusCode::kInvalidArgument,
                  "more than " + std::to_string(kMaxExtensions) + " ONNX Runtime extensions");
  }
  for (const flatbuffers::String* path : *message.onnxruntime_extensions()) {
    extensions->push_back(TextOf(path));
    TRIMS_RETURN_IF_ERROR(
        CheckText("an ONNX Runtime extension", extensions->back(), kMaxPathBytes));
  }
  return Status();
}

template <typename Message>
Status DecodeVariants(const Message& message, std::vector<Variant>* decoded) {
  const auto* variants = message.variants();
  if (variants != nullptr && variants->size() > kMaxVariants)
    return Status(StatusCode::kInvalidArgument, "more variants than there are");
  for (size_t i = 0; variants != nullptr && i < variants->size(); ++i) {
    const auto value =
        static_cast<fb::Variant>(variants->Get(static_cast<flatbuffers::uoffset_t>(i)));
    TRIMS_ASSIGN_OR_RETURN(const Variant variant, VariantOf(value));
    decoded->push_back(variant);
  }
  return Status();
}

Status Decode(const fb::AddRequest& message, RequestBody* body) {
  TRIMS_RETURN_IF_ERROR(CheckReference(TextOf(message.reference())));
  TRIMS_RETURN_IF_ERROR(CheckText("the source", TextOf(message.source()), kMaxSourceBytes));
  AddRequest request{
      .reference = TextOf(message.reference()), .source = TextOf(message.source()), .variants = {}};
  TRIMS_RETURN_IF_ERROR(DecodeVariants(message, &request.variants));
  request.precision = TextOf(message.precision());
  if (!request.precision.empty())
    TRIMS_RETURN_IF_ERROR(CheckText("the precision", request.precision, kMaxPrecisionBytes));
  TRIMS_RETURN_IF_ERROR(DecodeExtensions(message, &request.onnxruntime_extensions));
  request.keep_versions = message.keep_versions();
  request.keep_for_s = message.keep_for_s();
  request.granularity = TextOf(message.granularity());
  if (!request.granularity.empty())
    TRIMS_RETURN_IF_ERROR(CheckText("the granularity", request.granularity, kMaxPolicyNameBytes));
  *body = std::move(request);
  return Status();
}

Status Decode(const fb::VerifyRequest& message, RequestBody* body) {
  const std::string_view reference = TextOf(message.reference());
  if (!reference.empty()) TRIMS_RETURN_IF_ERROR(CheckReference(reference));
  *body = VerifyRequest{.reference = reference, .bytes_per_second = message.bytes_per_second()};
  return Status();
}

Status Decode(const fb::PushRequest& message, RequestBody* body) {
  TRIMS_RETURN_IF_ERROR(CheckReference(TextOf(message.reference())));
  TRIMS_RETURN_IF_ERROR(
      CheckText("the destination", TextOf(message.destination()), kMaxSourceBytes));
  *body = PushRequest{TextOf(message.reference()), TextOf(message.destination())};
  return Status();
}

Status Decode(const fb::PolicyRequest& message, RequestBody* body) {
  const PolicyRequest request{.tier = TextOf(message.tier()),
                              .eviction = TextOf(message.eviction()),
                              .admission = TextOf(message.admission()),
                              .reclaim = TextOf(message.reclaim()),
                              .budget = TextOf(message.budget()),
                              .quota = TextOf(message.quota())};
  if (!request.quota.empty()) {
    TRIMS_RETURN_IF_ERROR(CheckText("the quota", request.quota, kMaxQuotaBytes));
  }
  if (!request.tier.empty()) TRIMS_RETURN_IF_ERROR(CheckTierName(request.tier));
  for (const std::string_view name :
       {request.eviction, request.admission, request.reclaim, request.budget}) {
    if (!name.empty()) {
      TRIMS_RETURN_IF_ERROR(CheckText("the policy", name, kMaxPolicyNameBytes));
    }
  }
  *body = request;
  return Status();
}

Status Decode(const fb::ControlRequest& message, RequestBody* body) {
  if (message.verb() > fb::ControlVerb::MAX) {
    return Status(StatusCode::kUnimplemented,
                  "command " + std::to_string(static_cast<int>(message.verb())) +
                      " is unknown to this daemon",
                  "a trimsd as new as libtrims");
  }
  ControlRequest request{.verb = static_cast<ControlVerb>(message.verb()),
                         .reference = TextOf(message.reference()),
                         .alias = TextOf(message.alias()),
                         .tier = TextOf(message.tier()),
                         .variants = {},
                         .wait = message.wait(),
                         .when_idle = message.when_idle(),
                         .keep_alive = TextOf(message.keep_alive())};
  if (!request.keep_alive.empty()) {
    TRIMS_RETURN_IF_ERROR(
        CheckText("the keep-alive time", request.keep_alive, kMaxPolicyNameBytes));
  }
  if (!request.reference.empty()) TRIMS_RETURN_IF_ERROR(CheckReference(request.reference));
  if (!request.alias.empty()) {
    TRIMS_RETURN_IF_ERROR(CheckText("the alias", request.alias, kMaxReferenceBytes));
  }
  if (!request.tier.empty()) TRIMS_RETURN_IF_ERROR(CheckTierName(request.tier));
  TRIMS_RETURN_IF_ERROR(DecodeVariants(message, &request.variants));
  *body = std::move(request);
  return Status();
}

Status Decode(const fb::EventsRequest& message, RequestBody* body) {
  EventsRequest request{.opens = message.opens(),
                        .model = TextOf(message.model()),
                        .wait_ms = std::min(message.wait_ms(), kMaxEventsWaitMs)};
  if (message.since().has_value()) request.since = *message.since();
  if (message.opens_since().has_value()) request.opens_since = *message.opens_since();
  if (!request.model.empty()) TRIMS_RETURN_IF_ERROR(CheckReference(request.model));
  if (message.kinds() != nullptr) {
    if (message.kinds()->size() > kMaxEventKinds) {
      return Status(StatusCode::kInvalidArgument,
                    "more than " + std::to_string(kMaxEventKinds) + " kinds of events");
    }
    for (const flatbuffers::String* kind : *message.kinds()) {
      request.kinds.push_back(TextOf(kind));
      TRIMS_RETURN_IF_ERROR(
          CheckText("a kind of events", request.kinds.back(), kMaxEventKindBytes));
    }
  }
  *body = std::move(request);
  return Status();
}

template <typename NamedRequest, typename Message>
Status DecodeNamed(const Message& message, RequestBody* body) {
  TRIMS_RETURN_IF_ERROR(CheckReference(TextOf(message.reference())));
  *body = NamedRequest{TextOf(message.reference())};
  return Status();
}

Status DecodeBody(const fb::Request& message, RequestBody* body) {
  switch (message.body_type()) {
    case fb::RequestBody::OpenRequest:
      return Decode(*message.body_as_OpenRequest(), body);
    case fb::RequestBody::CloseRequest:
      *body = CloseRequest{message.body_as_CloseRequest()->lease()};
      return Status();
    case fb::RequestBody::AddRequest:
      return Decode(*message.body_as_AddRequest(), body);
    case fb::RequestBody::RemoveRequest:
      return DecodeNamed<RemoveRequest>(*message.body_as_RemoveRequest(), body);
    case fb::RequestBody::ListRequest:
      *body = ListRequest{};
      return Status();
    case fb::RequestBody::ShowRequest:
      return DecodeNamed<ShowRequest>(*message.body_as_ShowRequest(), body);
    case fb::RequestBody::StatusRequest:
      *body = StatusRequest{};
      return Status();
    case fb::RequestBody::VerifyRequest:
      return Decode(*message.body_as_VerifyRequest(), body);
    case fb::RequestBody::PushRequest:
      return Decode(*message.body_as_PushRequest(), body);
    case fb::RequestBody::CancelRequest:
      *body = CancelRequest{message.body_as_CancelRequest()->request()};
      return Status();
    case fb::RequestBody::PolicyRequest:
      return Decode(*message.body_as_PolicyRequest(), body);
    case fb::RequestBody::ControlRequest:
      return Decode(*message.body_as_ControlRequest(), body);
    case fb::RequestBody::EventsRequest:
      return Decode(*message.body_as_EventsRequest(), body);
    case fb::RequestBody::NONE:
      return Status(StatusCode::kInvalidArgument, "the frame holds no request");
  }
  return Status(StatusCode::kUnimplemented,
                "request " + std::to_string(static_cast<int>(message.body_type())) +
                    " is unknown to this daemon",
                "a trimsd as new as libtrims");
}

using Body = flatbuffers::Offset<void>;

struct BodyEncoder {
  Builder& builder;

  Body operator()(const OpenRequest& request) const {
    const Text reference = TextIn(builder, request.reference);
    const Text key = request.variant_key.empty() ? Text() : TextIn(builder, request.variant_key);
    const Text tier = request.tier.empty() ? Text() : TextIn(builder, request.tier);
    const Text traceparent =
        request.traceparent.empty() ? Text() : TextIn(builder, request.traceparent);
    return fb::CreateOpenRequest(builder, reference, static_cast<fb::Variant>(request.variant), key,
                                 request.deadline_ms, tier, request.progress, traceparent,
                                 request.runs)
        .Union();
  }
  Body operator()(const CloseRequest& request) const {
    return fb::CreateCloseRequest(builder, request.lease).Union();
  }
  Body operator()(const AddRequest& request) const {
    const Text reference = TextIn(builder, request.reference);
    const Text source = TextIn(builder, request.source);
    const auto variants = VariantsIn(request.variants);
    const Text precision = TextIn(builder, request.precision);
    const Text granularity =
        request.granularity.empty() ? Text() : TextIn(builder, request.granularity);
    std::vector<Text> extensions;
    for (const std::string_view path : request.onnxruntime_extensions)
      extensions.push_back(TextIn(builder, path));
    return fb::CreateAddRequest(builder, reference, source, variants, precision,
                                builder.CreateVector(extensions), request.keep_versions,
                                request.keep_for_s, granularity)
        .Union();
  }
  Body operator()(const ControlRequest& request) const {
    const auto text = [this](std::string_view value) {
      return value.empty() ? Text() : TextIn(builder, value);
    };
    const Text reference = text(request.reference);
    const Text alias = text(request.alias);
    const Text tier = text(request.tier);
    const auto variants = VariantsIn(request.variants);
    const Text keep_alive = text(request.keep_alive);
    return fb::CreateControlRequest(builder, static_cast<fb::ControlVerb>(request.verb), reference,
                                    alias, tier, variants, request.wait, request.when_idle,
                                    keep_alive)
        .Union();
  }
  Body operator()(const RemoveRequest& request) const {
    return fb::CreateRemoveRequest(builder, TextIn(builder, request.reference)).Union();
  }
  Body operator()(const ListRequest&) const { return fb::CreateListRequest(builder).Union(); }
  Body operator()(const ShowRequest& request) const {
    return fb::CreateShowRequest(builder, TextIn(builder, request.reference)).Union();
  }
  Body operator()(const StatusRequest&) const { return fb::CreateStatusRequest(builder).Union(); }
  Body operator()(const PushRequest& request) const {
    const Text reference = TextIn(builder, request.reference);
    const Text destination = TextIn(builder, request.destination);
    return fb::CreatePushRequest(builder, reference, destination).Union();
  }
  Body operator()(const CancelRequest& request) const {
    return fb::CreateCancelRequest(builder, request.request).Union();
  }
  Body operator()(const PolicyRequest& request) const {
    const auto text = [this](std::string_view value) {
      return value.empty() ? Text() : TextIn(builder, value);
    };
    const Text tier = text(request.tier);
    const Text eviction = text(request.eviction);
    const Text admission = text(request.admission);
    const Text reclaim = text(request.reclaim);
    const Text budget = text(request.budget);
    const Text quota = text(request.quota);
    return fb::CreatePolicyRequest(builder, tier, eviction, admission, reclaim, budget, quota)
        .Union();
  }
  Body operator()(const EventsRequest& request) const {
    const auto place = [](std::optional<uint64_t> since) {
      return since ? flatbuffers::Optional<uint64_t>(*since) : flatbuffers::Optional<uint64_t>();
    };
    std::vector<Text> kinds;
    for (const std::string_view kind : request.kinds) kinds.push_back(TextIn(builder, kind));
    const auto listed = builder.CreateVector(kinds);
    const Text model = request.model.empty() ? Text() : TextIn(builder, request.model);
    return fb::CreateEventsRequest(builder, place(request.since), place(request.opens_since),
                                   listed, request.opens, model, request.wait_ms)
        .Union();
  }
  Body operator()(const VerifyRequest& request) const {
    const Text reference = request.reference.empty() ? Text() : TextIn(builder, request.reference);
    return fb::CreateVerifyRequest(builder, reference, request.bytes_per_second).Union();
  }

  flatbuffers::Offset<flatbuffers::Vector<fb::Variant>> VariantsIn(
      const std::vector<Variant>& kinds) const {
    std::vector<uint8_t> variants;
    variants.reserve(kinds.size());
    for (const Variant kind : kinds) variants.push_back(static_cast<uint8_t>(kind));
    return builder.CreateVectorScalarCast<fb::Variant>(variants.data(), variants.size());
  }
};

// In the order of RequestBody.
constexpr fb::RequestBody kBodyTypes[] = {
    fb::RequestBody::OpenRequest,   fb::RequestBody::CloseRequest,  fb::RequestBody::AddRequest,
    fb::RequestBody::RemoveRequest, fb::RequestBody::ListRequest,   fb::RequestBody::ShowRequest,
    fb::RequestBody::StatusRequest, fb::RequestBody::VerifyRequest, fb::RequestBody::PushRequest,
    fb::RequestBody::CancelRequest, fb::RequestBody::PolicyRequest, fb::RequestBody::ControlRequest,
    fb::RequestBody::EventsRequest};
static_assert(std::size(kBodyTypes) == std::variant_size_v<RequestBody>);

bool FitsTierName(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == ':'; }

}  // namespace

Status CheckTierName(std::string_view name) {
  if (!name.empty() && name.size() <= kMaxTierBytes &&
      std::all_of(name.begin(), name.end(), FitsTierName)) {
    return Status();
  }
  return Status(
      StatusCode::kInvalidArgument,
      "no name of a tier: expected 1 to " + std::to_string(kMaxTierBytes) + " of a-z, 0-9 and ':'",
      "leave the tier out, or name it like 'host'");
}

Status DecodeRequest(std::span<const std::byte> frame, Request* request) {
  *request = Request();
  TRIMS_RETURN_IF_ERROR(ReadEnvelope(frame, &request->id));
  flatbuffers::Verifier verifier = FrameVerifier(frame);
  if (!verifier.VerifyBuffer<fb::Request>())
    return Status(StatusCode::kInvalidArgument, "the frame holds no request of TrIMS");
  const auto* message = flatbuffers::GetRoot<fb::Request>(frame.data());
  RequestBody body;
  TRIMS_RETURN_IF_ERROR(DecodeBody(*message, &body));
  if (const fb::Hello* hello = message->hello()) {
    TRIMS_RETURN_IF_ERROR(DecodeHello(*hello, &request->client));
  }
  request->body = std::move(body);
  return Status();
}

struct RequestEncoder::Impl {
  Builder builder{256};
};

RequestEncoder::RequestEncoder() : impl_(std::make_unique<Impl>()) {}
RequestEncoder::~RequestEncoder() = default;
RequestEncoder::RequestEncoder(RequestEncoder&&) noexcept = default;
RequestEncoder& RequestEncoder::operator=(RequestEncoder&&) noexcept = default;

std::span<const std::byte> RequestEncoder::Encode(const Request& request) {
  Builder& builder = impl_->builder;
  builder.Clear();
  flatbuffers::Offset<fb::Hello> hello;
  if (request.client) {
    std::string name(Cut(*request.client, kMaxClientNameBytes));
    std::replace_if(name.begin(), name.end(), IsControl, '?');
    hello = fb::CreateHello(builder, TextIn(builder, name));
  }
  const Body body = std::visit(BodyEncoder{builder}, request.body);
  builder.Finish(fb::CreateRequest(builder, kProtocolVersion, request.id, hello,
                                   kBodyTypes[request.body.index()], body));
  return std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
}

}  // namespace trims::wire
