// What the encoders of requests and replies have in common. Internal to wire/.
#ifndef TRIMS_WIRE_TEXT_IN_H_
#define TRIMS_WIRE_TEXT_IN_H_

#include <flatbuffers/flatbuffers.h>

#include <string_view>

namespace trims::wire {

using Builder = flatbuffers::FlatBufferBuilder;
using Text = flatbuffers::Offset<flatbuffers::String>;

inline Text TextIn(Builder& builder, std::string_view text) {
  return builder.CreateString(text.data(), text.size());
}

}  // namespace trims::wire

#endif  // TRIMS_WIRE_TEXT_IN_H_
