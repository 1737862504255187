#include "wire/reply.h"

#include <string>

#include "base/macros.h"
#include "wire/alignment.h"
#include "wire/envelope.h"
#include "wire/messages_generated.h"
#include "wire/protocol.h"
#include "wire/text_in.h"

namespace trims::wire {
namespace {

// What is cast into the other, by value.
static_assert(static_cast<Pages>(fb::Pages::Small) == Pages::kSmall);
static_assert(static_cast<Pages>(fb::Pages::Transparent) == Pages::kTransparentHuge);
static_assert(static_cast<Pages>(fb::Pages::HugeTlb) == Pages::kHugeTlb);
static_assert(fb::Pages::MAX == fb::Pages::HugeTlb);
static_assert(static_cast<HandleKind>(fb::HandleKind::HostMemory) == HandleKind::kHostMemory);
static_assert(static_cast<HandleKind>(fb::HandleKind::SimulatedDevice) ==
              HandleKind::kSimulatedDevice);
static_assert(static_cast<HandleKind>(fb::HandleKind::CudaDevice) == HandleKind::kCudaDevice);
static_assert(static_cast<HandleKind>(fb::HandleKind::CudaIpc) == HandleKind::kCudaIpc);
static_assert(fb::HandleKind::MAX == fb::HandleKind::CudaIpc);

Status CheckOpen(const fb::OpenReply& message) {
  TRIMS_RETURN_IF_ERROR(
      CheckText("the resolved reference", TextOf(message.reference()), kMaxReferenceBytes));
  TRIMS_RETURN_IF_ERROR(CheckText("the tier", TextOf(message.tier()), kMaxTierBytes));
  TRIMS_RETURN_IF_ERROR(CheckText("the device", TextOf(message.device()), kMaxTierBytes));
  TRIMS_RETURN_IF_ERROR(
      CheckText("the device's UUID", TextOf(message.device_uuid()), kMaxUuidBytes));
  if (message.variant() > fb::Variant::MAX)
    return Status(StatusCode::kInvalidArgument, "the reply names an unknown variant");
  if (message.index_length() == 0)
    return Status(StatusCode::kInvalidArgument, "the reply has no index");
  if (message.extents() != nullptr && message.extents()->size() > kMaxExtents)
    return Status(StatusCode::kInvalidArgument, "the reply has too many extents");
  if (!IsAligned(message.extents()) || !IsAligned(message.lengths()) || !IsAligned(message.runs()))
    return Status(StatusCode::kInvalidArgument, "the reply's extents are out of place");
  const bool too_many = (message.lengths() != nullptr && message.lengths()->size() > kMaxExtents) ||
                        (message.runs() != nullptr && message.runs()->size() > kMaxRuns);
  if (too_many) return Status(StatusCode::kInvalidArgument, "the reply has too many runs");
  return Status();
}

Status DecodeExtents(const fb::OpenReply& message, std::vector<ExtentInfo>* extents) {
  if (message.extents() == nullptr) return Status();
  extents->reserve(message.extents()->size());
  for (const fb::Extent* extent : *message.extents()) {
    if (extent->length() == 0 || extent->pages() > fb::Pages::MAX)
      return Status(StatusCode::kInvalidArgument,
                    "the reply has an extent of no bytes or unknown pages");
    extents->push_back({extent->length(), static_cast<Pages>(extent->pages()),
                        static_cast<HandleKind>(extent->kind())});
  }
  return Status();
}

// Whether they fit together, the client finds out that maps them.
void DecodeRuns(const fb::OpenReply& message, Reply* reply) {
  if (message.lengths() != nullptr)
    reply->lengths.assign(message.lengths()->begin(), message.lengths()->end());
  if (message.runs() == nullptr) return;
  reply->runs.reserve(message.runs()->size());
  for (const fb::Run* run : *message.runs())
    reply->runs.push_back({run->extent(), run->offset(), run->length()});
}

Status Decode(const fb::OpenReply& message, Reply* reply) {
  TRIMS_RETURN_IF_ERROR(CheckOpen(message));
  TRIMS_RETURN_IF_ERROR(DecodeExtents(message, &reply->extents));
  DecodeRuns(message, reply);
  reply->body = OpenReply{.lease = message.lease(),
                          .reference = TextOf(message.reference()),
                          .digest = TextOf(message.digest()),
                          .variant = static_cast<Variant>(message.variant()),
                          .variant_key = TextOf(message.variant_key()),
                          .index_length = message.index_length(),
                          .extents = reply->extents,
                          .hit = message.hit(),
                          .waited_us = message.waited_us(),
                          .tier = TextOf(message.tier()),
                          .device = TextOf(message.device()),
                          .device_uuid = TextOf(message.device_uuid()),
                          .lengths = reply->lengths,
                          .runs = reply->runs};
  return Status();
}

// A code that this build does not know, or OK, which is no error, is the peer's defect.
Status ErrorOf(const fb::ErrorReply& message) {
  StatusCode code = static_cast<StatusCode>(message.code());
  if (code == StatusCode::kOk || StatusCodeName(code) == "UNKNOWN") code = StatusCode::kInternal;
  return Status(code, std::string(TextOf(message.message())), std::string(TextOf(message.hint())));
}

Status DecodeBody(const fb::Reply& message, Reply* reply) {
  switch (message.body_type()) {
    case fb::ReplyBody::OpenReply:
      return Decode(*message.body_as_OpenReply(), reply);
    case fb::ReplyBody::DocumentReply:
      reply->body = DocumentReply{message.body_as_DocumentReply()->length()};
      return Status();
    case fb::ReplyBody::ProgressReply: {
      const fb::ProgressReply& progress = *message.body_as_ProgressReply();
      reply->body = ProgressReply{.stage = TextOf(progress.stage()),
                                  .done = progress.done(),
                                  .total = progress.total(),
                                  .bytes_per_second = progress.bytes_per_second()};
      return Status();
    }
    case fb::ReplyBody::ErrorReply:
      reply->body = ErrorOf(*message.body_as_ErrorReply());
      return Status();
    case fb::ReplyBody::WaitingReply:
      reply->body = WaitingReply{message.body_as_WaitingReply()->deadline_ms()};
      return Status();
    case fb::ReplyBody::NONE:
      break;
  }
  return Status(StatusCode::kInvalidArgument, "the reply is of no known kind");
}

// Most replies have none, and pay nothing for it.
flatbuffers::Offset<flatbuffers::Vector<uint64_t>> LengthsIn(Builder& builder,
                                                             std::span<const uint64_t> lengths) {
  if (lengths.empty()) return 0;
  return builder.CreateVector(lengths.data(), std::min(lengths.size(), kMaxExtents));
}

flatbuffers::Offset<flatbuffers::Vector<const fb::Run*>> RunsIn(Builder& builder,
                                                                std::span<const RunInfo> runs) {
  if (runs.empty()) return 0;
  const size_t count = std::min(runs.size(), kMaxRuns);
  fb::Run* places = nullptr;
  const auto made = builder.CreateUninitializedVectorOfStructs<fb::Run>(count, &places);
  for (size_t i = 0; i < count; ++i) {
    places[i] = fb::Run(runs[i].extent, runs[i].offset, runs[i].length);
  }
  return made;
}

}  // namespace

Status DecodeReply(std::span<const std::byte> frame, Reply* reply) {
  Reply decoded;
  TRIMS_RETURN_IF_ERROR(ReadEnvelope(frame, &decoded.id));
  flatbuffers::Verifier verifier = FrameVerifier(frame);
  if (!verifier.VerifyBuffer<fb::Reply>())
    return Status(StatusCode::kInvalidArgument, "the frame holds no reply of TrIMS");
  TRIMS_RETURN_IF_ERROR(DecodeBody(*flatbuffers::GetRoot<fb::Reply>(frame.data()), &decoded));
  *reply = std::move(decoded);
  return Status();
}

struct ReplyEncoder::Impl {
  Builder builder{1024};

  Builder& Start() {
    builder.Clear();
    return builder;
  }
  template <typename Message>
  std::span<const std::byte> Finish(uint64_t id, fb::ReplyBody type, Message message) {
    builder.Finish(fb::CreateReply(builder, kProtocolVersion, id, type, message.Union()));
    return std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  }
};

ReplyEncoder::ReplyEncoder() : impl_(std::make_unique<Impl>()) {}
ReplyEncoder::~ReplyEncoder() = default;
ReplyEncoder::ReplyEncoder(ReplyEncoder&&) noexcept = default;
ReplyEncoder& ReplyEncoder::operator=(ReplyEncoder&&) noexcept = default;

std::span<const std::byte> ReplyEncoder::Open(uint64_t id, const OpenReply& reply) {
  Builder& builder = impl_->Start();
  const auto reference = TextIn(builder, Cut(reply.reference, kMaxReferenceBytes));
  const auto digest = TextIn(builder, Cut(reply.digest, kMaxDigestBytes));
  const auto key = TextIn(builder, Cut(reply.variant_key, kMaxVariantKeyBytes));
  const auto tier = TextIn(builder, Cut(reply.tier, kMaxTierBytes));
  const auto device = TextIn(builder, Cut(reply.device, kMaxTierBytes));
  const auto uuid = TextIn(builder, Cut(reply.device_uuid, kMaxUuidBytes));
  const size_t count = std::min(reply.extents.size(), kMaxExtents);
  fb::Extent* places = nullptr;
  const auto extents = builder.CreateUninitializedVectorOfStructs<fb::Extent>(count, &places);
  for (size_t i = 0; i < count; ++i) {
    places[i] = fb::Extent(reply.extents[i].length, static_cast<fb::Pages>(reply.extents[i].pages),
                           static_cast<fb::HandleKind>(reply.extents[i].kind));
  }
  const auto lengths = LengthsIn(builder, reply.lengths);
  const auto runs = RunsIn(builder, reply.runs);
  return impl_->Finish(
      id, fb::ReplyBody::OpenReply,
      fb::CreateOpenReply(builder, reply.lease, reference, digest,
                          static_cast<fb::Variant>(reply.variant), key, reply.index_length, extents,
                          reply.hit, reply.waited_us, tier, device, uuid, lengths, runs));
}

std::span<const std::byte> ReplyEncoder::Document(uint64_t id, const DocumentReply& reply) {
  Builder& builder = impl_->Start();
  return impl_->Finish(id, fb::ReplyBody::DocumentReply,
                       fb::CreateDocumentReply(builder, reply.length));
}

std::span<const std::byte> ReplyEncoder::Progress(uint64_t id, const ProgressReply& reply) {
  Builder& builder = impl_->Start();
  const auto stage = TextIn(builder, Cut(reply.stage, kMaxStageBytes));
  return impl_->Finish(
      id, fb::ReplyBody::ProgressReply,
      fb::CreateProgressReply(builder, stage, reply.done, reply.total, reply.bytes_per_second));
}

std::span<const std::byte> ReplyEncoder::Waiting(uint64_t id, const WaitingReply& reply) {
  Builder& builder = impl_->Start();
  return impl_->Finish(id, fb::ReplyBody::WaitingReply,
                       fb::CreateWaitingReply(builder, reply.deadline_ms));
}

std::span<const std::byte> ReplyEncoder::Error(uint64_t id, const Status& status) {
  Builder& builder = impl_->Start();
  const auto message = TextIn(builder, Cut(status.message(), kMaxErrorTextBytes));
  const auto hint = TextIn(builder, Cut(status.hint(), kMaxErrorTextBytes));
  return impl_->Finish(
      id, fb::ReplyBody::ErrorReply,
      fb::CreateErrorReply(builder, static_cast<uint8_t>(status.code()), message, hint));
}

}  // namespace trims::wire
