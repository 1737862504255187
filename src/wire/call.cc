#include "wire/call.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/macros.h"
#include "base/model_limits.h"
#include "wire/envelope.h"
#include "wire/messages_generated.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

Result<trims::Variant> VariantOf(Variant value) {
  if (value > Variant::MAX) {
    return Status(StatusCode::kUnimplemented,
                  "variant " + std::to_string(static_cast<int>(value)) + " is unknown here");
  }
  return static_cast<trims::Variant>(value);
}

Status CheckReference(std::string_view reference) {
  return CheckText("the model reference", reference, kMaxReferenceBytes);
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// Its length is no matter: what is too long is cut.
Status DecodeHello(const Hello& message, std::optional<std::string_view>* client) {
  const std::string_view name = TextOf(message.client());
  TRIMS_RETURN_IF_ERROR(CheckText("the client's name", name, name.size()));
  if (std::any_of(name.begin(), name.end(), IsControl)) {
    return Status(StatusCode::kInvalidArgument, "the client's name holds a control character");
  }
  *client = Cut(name, kMaxClientNameBytes);
  return Status();
}

Status Decode(const OpenRequest& message, CallBody* body) {
  TRIMS_RETURN_IF_ERROR(CheckReference(TextOf(message.reference())));
  TRIMS_RETURN_IF_ERROR(
      CheckText("the variant's key", TextOf(message.variant_key()), kMaxVariantKeyBytes));
  TRIMS_ASSIGN_OR_RETURN(const trims::Variant variant, VariantOf(message.variant()));
  *body = OpenCall{.reference = TextOf(message.reference()),
                   .variant = variant,
                   .variant_key = TextOf(message.variant_key()),
                   .deadline_ms = message.deadline_ms()};
  return Status();
}

Status Decode(const AddRequest& message, CallBody* body) {
  TRIMS_RETURN_IF_ERROR(CheckReference(TextOf(message.reference())));
  TRIMS_RETURN_IF_ERROR(CheckText("the source", TextOf(message.source()), kMaxSourceBytes));
  AddCall call{
      .reference = TextOf(message.reference()), .source = TextOf(message.source()), .variants = {}};
  const auto* variants = message.variants();
  if (variants != nullptr && variants->size() > kMaxVariants)
    return Status(StatusCode::kInvalidArgument, "more variants than there are");
  for (size_t i = 0; variants != nullptr && i < variants->size(); ++i) {
    const auto value = static_cast<Variant>(variants->Get(static_cast<flatbuffers::uoffset_t>(i)));
    TRIMS_ASSIGN_OR_RETURN(const trims::Variant variant, VariantOf(value));
    call.variants.push_back(variant);
  }
  *body = std::move(call);
  return Status();
}

template <typename NamedCall, typename Message>
Status DecodeNamed(const Message& message, CallBody* body) {
  TRIMS_RETURN_IF_ERROR(CheckReference(TextOf(message.reference())));
  *body = NamedCall{TextOf(message.reference())};
  return Status();
}

Status DecodeBody(const Request& request, CallBody* body) {
  switch (request.body_type()) {
    case RequestBody::OpenRequest:
      return Decode(*request.body_as_OpenRequest(), body);
    case RequestBody::CloseRequest:
      *body = CloseCall{request.body_as_CloseRequest()->lease()};
      return Status();
    case RequestBody::AddRequest:
      return Decode(*request.body_as_AddRequest(), body);
    case RequestBody::RemoveRequest:
      return DecodeNamed<RemoveCall>(*request.body_as_RemoveRequest(), body);
    case RequestBody::ListRequest:
      *body = ListCall{};
      return Status();
    case RequestBody::ShowRequest:
      return DecodeNamed<ShowCall>(*request.body_as_ShowRequest(), body);
    case RequestBody::StatusRequest:
      *body = StatusCall{};
      return Status();
    case RequestBody::NONE:
      return Status(StatusCode::kInvalidArgument, "the frame holds no request");
  }
  return Status(StatusCode::kUnimplemented,
                "request " + std::to_string(static_cast<int>(request.body_type())) +
                    " is unknown to this daemon",
                "a trimsd as new as libtrims");
}

using Builder = flatbuffers::FlatBufferBuilder;
using Text = flatbuffers::Offset<flatbuffers::String>;
using Body = flatbuffers::Offset<void>;

Text TextIn(Builder& builder, std::string_view text) {
  return builder.CreateString(text.data(), text.size());
}

struct BodyEncoder {
  Builder& builder;

  Body operator()(const OpenCall& call) const {
    const Text reference = TextIn(builder, call.reference);
    const Text key = call.variant_key.empty() ? Text() : TextIn(builder, call.variant_key);
    return CreateOpenRequest(builder, reference, static_cast<Variant>(call.variant), key,
                             call.deadline_ms)
        .Union();
  }
  Body operator()(const CloseCall& call) const {
    return CreateCloseRequest(builder, call.lease).Union();
  }
  Body operator()(const AddCall& call) const {
    const Text reference = TextIn(builder, call.reference);
    const Text source = TextIn(builder, call.source);
    std::vector<uint8_t> variants;
    variants.reserve(call.variants.size());
    for (trims::Variant variant : call.variants) variants.push_back(static_cast<uint8_t>(variant));
    return CreateAddRequest(
               builder, reference, source,
               builder.CreateVectorScalarCast<Variant>(variants.data(), variants.size()))
        .Union();
  }
  Body operator()(const RemoveCall& call) const {
    return CreateRemoveRequest(builder, TextIn(builder, call.reference)).Union();
  }
  Body operator()(const ListCall&) const { return CreateListRequest(builder).Union(); }
  Body operator()(const ShowCall& call) const {
    return CreateShowRequest(builder, TextIn(builder, call.reference)).Union();
  }
  Body operator()(const StatusCall&) const { return CreateStatusRequest(builder).Union(); }
};

// In the order of CallBody.
constexpr RequestBody kBodyTypes[] = {RequestBody::OpenRequest,  RequestBody::CloseRequest,
                                      RequestBody::AddRequest,   RequestBody::RemoveRequest,
                                      RequestBody::ListRequest,  RequestBody::ShowRequest,
                                      RequestBody::StatusRequest};
static_assert(std::size(kBodyTypes) == std::variant_size_v<CallBody>);

}  // namespace

Status DecodeCall(std::span<const std::byte> frame, Call* call) {
  *call = Call();
  TRIMS_RETURN_IF_ERROR(ReadEnvelope(frame, &call->id));
  flatbuffers::Verifier verifier = FrameVerifier(frame);
  if (!verifier.VerifyBuffer<Request>())
    return Status(StatusCode::kInvalidArgument, "the frame holds no request of TrIMS");
  const auto* request = flatbuffers::GetRoot<Request>(frame.data());
  CallBody body;
  TRIMS_RETURN_IF_ERROR(DecodeBody(*request, &body));
  if (const Hello* hello = request->hello()) {
    TRIMS_RETURN_IF_ERROR(DecodeHello(*hello, &call->client));
  }
  call->body = std::move(body);
  return Status();
}

struct CallEncoder::Impl {
  Builder builder{256};
};

CallEncoder::CallEncoder() : impl_(std::make_unique<Impl>()) {}
CallEncoder::~CallEncoder() = default;
CallEncoder::CallEncoder(CallEncoder&&) noexcept = default;
CallEncoder& CallEncoder::operator=(CallEncoder&&) noexcept = default;

std::span<const std::byte> CallEncoder::Encode(const Call& call) {
  Builder& builder = impl_->builder;
  builder.Clear();
  flatbuffers::Offset<Hello> hello;
  if (call.client) {
    std::string name(Cut(*call.client, kMaxClientNameBytes));
    std::replace_if(name.begin(), name.end(), IsControl, '?');
    hello = CreateHello(builder, TextIn(builder, name));
  }
  const Body body = std::visit(BodyEncoder{builder}, call.body);
  builder.Finish(CreateRequest(builder, kProtocolVersion, call.id, hello,
                               kBodyTypes[call.body.index()], body));
  return std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
}

}  // namespace trims::wire
