// ProtobufWriter: appends fields to a protocol-buffer message in memory.
//
//   ProtobufWriter node;
//   node.Bytes(kNodeOutput, "y");
//   graph.Bytes(kGraphNode, node.message());
//
// Thread-safety: one thread. Source: the protocol buffers encoding specification.
#ifndef TRIMS_PREPARE_PROTOBUF_WRITER_H_
#define TRIMS_PREPARE_PROTOBUF_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "format/protobuf_reader.h"

namespace trims {

class ProtobufWriter {
 public:
  void Int(uint32_t number, uint64_t value) {
    Key(number, WireType::kVarint);
    Varint(value);
  }
  void Bytes(uint32_t number, std::string_view bytes) {
    Key(number, WireType::kBytes);
    Varint(bytes.size());
    message_.append(bytes);
  }
  void Fixed(uint32_t number, WireType type, uint64_t value) {
    Key(number, type);
    const int width = type == WireType::kFixed32 ? 4 : 8;
    for (int i = 0; i < width; ++i) message_.push_back(static_cast<char>(value >> (8 * i)));
  }

  // Memory for so many bytes, which is taken once they are written.
  void Reserve(size_t bytes) { message_.reserve(bytes); }

  const std::string& message() const& { return message_; }
  std::string message() && { return std::move(message_); }

 private:
  void Key(uint32_t number, WireType type) {
    Varint(uint64_t{number} << 3 | static_cast<uint8_t>(type));
  }
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) message_.push_back(static_cast<char>(value | 0x80));
    message_.push_back(static_cast<char>(value));
  }

  std::string message_;
};

}  // namespace trims

#endif  // TRIMS_PREPARE_PROTOBUF_WRITER_H_
