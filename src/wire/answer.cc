#include "wire/answer.h"

#include <string>

#include "base/macros.h"
#include "wire/alignment.h"
#include "wire/envelope.h"
#include "wire/messages_generated.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

Status CheckOpen(const OpenReply& message) {
  TRIMS_RETURN_IF_ERROR(
      CheckText("the resolved reference", TextOf(message.reference()), kMaxReferenceBytes));
  if (message.variant() > Variant::MAX)
    return Status(StatusCode::kInvalidArgument, "the reply names an unknown variant");
  if (message.index_length() == 0)
    return Status(StatusCode::kInvalidArgument, "the reply has no index");
  if (message.extents() != nullptr && message.extents()->size() > kMaxExtents)
    return Status(StatusCode::kInvalidArgument, "the reply has too many extents");
  if (!IsAligned(message.extents()))
    return Status(StatusCode::kInvalidArgument, "the reply's extents are out of place");
  return Status();
}

Status DecodeExtents(const OpenReply& message, std::vector<ExtentInfo>* extents) {
  if (message.extents() == nullptr) return Status();
  extents->reserve(message.extents()->size());
  for (const Extent* extent : *message.extents()) {
    if (extent->length() == 0 || extent->pages() > Pages::MAX)
      return Status(StatusCode::kInvalidArgument, "the reply has an extent of no bytes or kind");
    extents->push_back({extent->length(), static_cast<trims::Pages>(extent->pages())});
  }
  return Status();
}

Status Decode(const OpenReply& message, Answer* answer) {
  TRIMS_RETURN_IF_ERROR(CheckOpen(message));
  TRIMS_RETURN_IF_ERROR(DecodeExtents(message, &answer->extents));
  answer->body = OpenAnswer{.lease = message.lease(),
                            .reference = TextOf(message.reference()),
                            .digest = TextOf(message.digest()),
                            .variant = static_cast<trims::Variant>(message.variant()),
                            .variant_key = TextOf(message.variant_key()),
                            .index_length = message.index_length(),
                            .extents = answer->extents,
                            .hit = message.hit(),
                            .waited_us = message.waited_us()};
  return Status();
}

// A code that this build does not know, or OK, which is no error, is the peer's defect.
Status ErrorOf(const ErrorReply& message) {
  StatusCode code = static_cast<StatusCode>(message.code());
  if (code == StatusCode::kOk || StatusCodeName(code) == "UNKNOWN") code = StatusCode::kInternal;
  return Status(code, std::string(TextOf(message.message())), std::string(TextOf(message.hint())));
}

Status DecodeBody(const Reply& reply, Answer* answer) {
  switch (reply.body_type()) {
    case ReplyBody::OpenReply:
      return Decode(*reply.body_as_OpenReply(), answer);
    case ReplyBody::DocumentReply:
      answer->body = DocumentAnswer{reply.body_as_DocumentReply()->length()};
      return Status();
    case ReplyBody::ProgressReply: {
      const ProgressReply& progress = *reply.body_as_ProgressReply();
      answer->body = ProgressAnswer{TextOf(progress.stage()), progress.done(), progress.total()};
      return Status();
    }
    case ReplyBody::ErrorReply:
      answer->body = ErrorOf(*reply.body_as_ErrorReply());
      return Status();
    case ReplyBody::NONE:
      break;
  }
  return Status(StatusCode::kInvalidArgument, "the reply is of no known kind");
}

using Builder = flatbuffers::FlatBufferBuilder;

flatbuffers::Offset<flatbuffers::String> TextIn(Builder& builder, std::string_view text) {
  return builder.CreateString(text.data(), text.size());
}

}  // namespace

Status DecodeAnswer(std::span<const std::byte> frame, Answer* answer) {
  Answer decoded;
  TRIMS_RETURN_IF_ERROR(ReadEnvelope(frame, &decoded.id));
  flatbuffers::Verifier verifier = FrameVerifier(frame);
  if (!verifier.VerifyBuffer<Reply>())
    return Status(StatusCode::kInvalidArgument, "the frame holds no reply of TrIMS");
  TRIMS_RETURN_IF_ERROR(DecodeBody(*flatbuffers::GetRoot<Reply>(frame.data()), &decoded));
  *answer = std::move(decoded);
  return Status();
}

struct AnswerEncoder::Impl {
  Builder builder{1024};

  Builder& Start() {
    builder.Clear();
    return builder;
  }
  template <typename Message>
  std::span<const std::byte> Finish(uint64_t id, ReplyBody type, Message message) {
    builder.Finish(CreateReply(builder, kProtocolVersion, id, type, message.Union()));
    return std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  }
};

AnswerEncoder::AnswerEncoder() : impl_(std::make_unique<Impl>()) {}
AnswerEncoder::~AnswerEncoder() = default;
AnswerEncoder::AnswerEncoder(AnswerEncoder&&) noexcept = default;
AnswerEncoder& AnswerEncoder::operator=(AnswerEncoder&&) noexcept = default;

std::span<const std::byte> AnswerEncoder::Open(uint64_t id, const OpenAnswer& answer) {
  Builder& builder = impl_->Start();
  const auto reference = TextIn(builder, Cut(answer.reference, kMaxReferenceBytes));
  const auto digest = TextIn(builder, Cut(answer.digest, kMaxDigestBytes));
  const auto key = TextIn(builder, Cut(answer.variant_key, kMaxVariantKeyBytes));
  const size_t count = std::min(answer.extents.size(), kMaxExtents);
  Extent* places = nullptr;
  const auto extents = builder.CreateUninitializedVectorOfStructs<Extent>(count, &places);
  for (size_t i = 0; i < count; ++i) {
    places[i] = Extent(answer.extents[i].length, static_cast<Pages>(answer.extents[i].pages));
  }
  return impl_->Finish(id, ReplyBody::OpenReply,
                       CreateOpenReply(builder, answer.lease, reference, digest,
                                       static_cast<Variant>(answer.variant), key,
                                       answer.index_length, extents, answer.hit, answer.waited_us));
}

std::span<const std::byte> AnswerEncoder::Document(uint64_t id, const DocumentAnswer& answer) {
  Builder& builder = impl_->Start();
  return impl_->Finish(id, ReplyBody::DocumentReply, CreateDocumentReply(builder, answer.length));
}

std::span<const std::byte> AnswerEncoder::Progress(uint64_t id, const ProgressAnswer& answer) {
  Builder& builder = impl_->Start();
  const auto stage = TextIn(builder, Cut(answer.stage, kMaxStageBytes));
  return impl_->Finish(id, ReplyBody::ProgressReply,
                       CreateProgressReply(builder, stage, answer.done, answer.total));
}

std::span<const std::byte> AnswerEncoder::Error(uint64_t id, const Status& status) {
  Builder& builder = impl_->Start();
  const auto message = TextIn(builder, Cut(status.message(), kMaxErrorTextBytes));
  const auto hint = TextIn(builder, Cut(status.hint(), kMaxErrorTextBytes));
  return impl_->Finish(
      id, ReplyBody::ErrorReply,
      CreateErrorReply(builder, static_cast<uint8_t>(status.code()), message, hint));
}

}  // namespace trims::wire
