// ProtobufReader: walks protocol-buffer messages in a file of any size with a small window of
// memory.
//
// A message is a range of the file. Next() gives its fields one after the other; a field that holds
// a message is walked by a ProtobufReader of its own over the same window. No field is ever taken
// on trust: lengths are compared with the message that holds them, and nothing is allocated for a
// length that a file merely claims.
//
//   ProtobufWindow window(file);
//   return ForEachField(window, {0, file.size()}, [&](const ProtobufField& field) {
//     return field.number == 7 && field.is_bytes() ? Walk(field.payload) : Status();
//   });
//
// Thread-safety: one thread a window. Source: the protocol buffers encoding specification.
#ifndef TRIMS_FORMAT_PROTOBUF_READER_H_
#define TRIMS_FORMAT_PROTOBUF_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/macros.h"
#include "base/random_access.h"

namespace trims {

struct FileRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t length() const { return end - begin; }
};

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kGroup = 3, kFixed32 = 5 };

struct ProtobufField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;  // of a varint or a fixed one
  FileRange payload;   // of bytes
  bool is_bytes() const { return type == WireType::kBytes; }
};

// The piece of the file that was read last.
class ProtobufWindow {
 public:
  explicit ProtobufWindow(const RandomAccess& file, size_t bytes = 64 * 1024)
      : file_(file), buffer_(bytes) {}

  uint64_t file_size() const { return file_.size(); }
  // The byte at `position`, which is inside the file.
  Result<std::byte> ByteAt(uint64_t position);
  Result<std::string> StringAt(FileRange range, size_t max_bytes);

 private:
  const RandomAccess& file_;
  std::vector<std::byte> buffer_;
  uint64_t start_ = 0;
  uint64_t length_ = 0;
};

class ProtobufReader {
 public:
  ProtobufReader(ProtobufWindow& window, FileRange message)
      : window_(&window), position_(message.begin), end_(message.end) {}

  bool AtEnd() const { return position_ == end_; }
  // Nothing at the message's end. DATA_LOSS: the file is shorter than it says; INVALID_ARGUMENT: no
  // protocol buffer.
  Result<std::optional<ProtobufField>> Next();
  // For packed repeated fields, whose payload is read as if it were a message.
  Result<uint64_t> Varint();
  Result<uint64_t> Fixed(size_t bytes);

 private:
  Status Malformed(const std::string& what) const;
  Result<FileRange> Payload();
  Status SkipGroup(uint32_t number);

  ProtobufWindow* window_;
  uint64_t position_;
  uint64_t end_;
  int group_depth_ = 0;
};

// Calls `use` with each field of `message`; stops at the first error, its own or the reader's.
template <typename Use>
Status ForEachField(ProtobufWindow& window, FileRange message, const Use& use) {
  ProtobufReader reader(window, message);
  for (;;) {
    TRIMS_ASSIGN_OR_RETURN(const std::optional<ProtobufField> field, reader.Next());
    if (!field) return Status();
    TRIMS_RETURN_IF_ERROR(use(*field));
  }
}

}  // namespace trims

#endif  // TRIMS_FORMAT_PROTOBUF_READER_H_
