// Envelope: what Request and Reply have in common, read before anything else of a frame is trusted.
//
// Version and id keep their places (the first and second field of the root table) in every version
// of the protocol, so that a peer of another version can be told so, under the id of its own
// request.
//
// Thread-safety: pure functions.
#ifndef TRIMS_WIRE_ENVELOPE_H_
#define TRIMS_WIRE_ENVELOPE_H_

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "trims/status.h"

namespace trims::wire {

// Bounds of a frame's verification: the deepest message has a table in a table.
flatbuffers::Verifier FrameVerifier(std::span<const std::byte> frame);

// Sets `id` as soon as it can be read. INVALID_ARGUMENT: no such table; UNIMPLEMENTED: another
// version.
Status ReadEnvelope(std::span<const std::byte> frame, uint64_t* id);

// "" for a null string.
std::string_view TextOf(const flatbuffers::String* text);

// INVALID_ARGUMENT if `text` is longer than `limit`, or holds a NUL byte.
Status CheckText(std::string_view what, std::string_view text, size_t limit);

// The first `limit` bytes, shortened to a whole UTF-8 character.
std::string_view Cut(std::string_view text, size_t limit);

}  // namespace trims::wire

#endif  // TRIMS_WIRE_ENVELOPE_H_
