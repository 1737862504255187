#include "wire/envelope.h"

#include <string>

#include "wire/messages_generated.h"
#include "wire/protocol.h"

namespace trims::wire {
namespace {

constexpr flatbuffers::uoffset_t kMaxEnvelopeDepth = 8;
constexpr flatbuffers::uoffset_t kMaxEnvelopeTables = 16;
constexpr size_t kMinFrameBytes = 16;  // a root offset, a table and its vtable

static_assert(static_cast<int>(fb::Request::VT_VERSION) == static_cast<int>(fb::Reply::VT_VERSION));
static_assert(static_cast<int>(fb::Request::VT_ID) == static_cast<int>(fb::Reply::VT_ID));

Status Garbage() {
  return Status(StatusCode::kInvalidArgument, "the frame holds no message of TrIMS");
}

}  // namespace

flatbuffers::Verifier FrameVerifier(std::span<const std::byte> frame) {
  return flatbuffers::Verifier(reinterpret_cast<const uint8_t*>(frame.data()), frame.size(),
                               kMaxEnvelopeDepth, kMaxEnvelopeTables);
}

Status ReadEnvelope(std::span<const std::byte> frame, uint64_t* id) {
  if (frame.size() < kMinFrameBytes || frame.size() > kMaxFrameBytes) return Garbage();
  flatbuffers::Verifier verifier = FrameVerifier(frame);
  const flatbuffers::uoffset_t root = verifier.VerifyOffset(size_t{0});
  if (root == 0) return Garbage();
  const auto* table = reinterpret_cast<const flatbuffers::Table*>(frame.data() + root);
  if (!table->VerifyTableStart(verifier) ||
      !table->VerifyField<uint16_t>(verifier, fb::Request::VT_VERSION, sizeof(uint16_t)) ||
      !table->VerifyField<uint64_t>(verifier, fb::Request::VT_ID, sizeof(uint64_t))) {
    return Garbage();
  }
  *id = table->GetField<uint64_t>(fb::Request::VT_ID, 0);
  const uint16_t version = table->GetField<uint16_t>(fb::Request::VT_VERSION, 0);
  if (version == kProtocolVersion) return Status();
  return Status(StatusCode::kUnimplemented,
                "the peer speaks version " + std::to_string(version) +
                    " of the protocol, this program version " + std::to_string(kProtocolVersion),
                "libtrims and trimsd of one release");
}

std::string_view TextOf(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

Status CheckText(std::string_view what, std::string_view text, size_t limit) {
  if (text.size() > limit) {
    return Status(StatusCode::kInvalidArgument,
                  std::string(what) + " has " + std::to_string(text.size()) +
                      " bytes: expected at most " + std::to_string(limit));
  }
  if (text.find('\0') != std::string_view::npos)
    return Status(StatusCode::kInvalidArgument, std::string(what) + " holds a NUL byte");
  return Status();
}

std::string_view Cut(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return text.substr(0, limit);
}

}  // namespace trims::wire
