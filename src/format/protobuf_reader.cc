#include "format/protobuf_reader.h"

#include <algorithm>
#include <span>

#include "base/macros.h"

namespace trims {
namespace {

constexpr uint64_t kEndOfGroup = 4;  // a wire type
constexpr int kMaxGroupDepth = 100;

}  // namespace

Result<std::byte> ProtobufWindow::ByteAt(uint64_t position) {
  if (position < start_ || position - start_ >= length_) {
    if (position >= file_.size()) {
      return Status(StatusCode::kDataLoss, "truncated: expected a byte at offset " +
                                               std::to_string(position) + ", the file ends at " +
                                               std::to_string(file_.size()));
    }
    length_ = 0;
    const auto length = std::min<uint64_t>(buffer_.size(), file_.size() - position);
    TRIMS_RETURN_IF_ERROR(
        file_.ReadAt(position, std::span(buffer_).first(static_cast<size_t>(length))));
    start_ = position;
    length_ = length;
  }
  return buffer_[static_cast<size_t>(position - start_)];
}

Result<std::string> ProtobufWindow::StringAt(FileRange range, size_t max_bytes) {
  if (range.length() > max_bytes) {
    return Status(StatusCode::kInvalidArgument,
                  "a text of " + std::to_string(range.length()) + " bytes at offset " +
                      std::to_string(range.begin) + ": expected at most " +
                      std::to_string(max_bytes));
  }
  std::string text(static_cast<size_t>(range.length()), '\0');
  if (text.empty()) return text;
  TRIMS_RETURN_IF_ERROR(file_.ReadAt(range.begin, std::as_writable_bytes(std::span(text))));
  return text;
}

Status ProtobufReader::Malformed(const std::string& what) const {
  return Status(StatusCode::kInvalidArgument,
                "not a protocol buffer: " + what + " at offset " + std::to_string(position_));
}

Result<uint64_t> ProtobufReader::Varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (AtEnd()) return Malformed("a number that does not end");
    TRIMS_ASSIGN_OR_RETURN(const std::byte byte, window_->ByteAt(position_));
    ++position_;
    value |= (std::to_integer<uint64_t>(byte) & 0x7f) << shift;
    if ((byte & std::byte{0x80}) == std::byte{}) return value;
  }
  return Malformed("a number of more than ten bytes");
}

Result<uint64_t> ProtobufReader::Fixed(size_t bytes) {
  if (end_ - position_ < bytes) return Malformed("a number that does not end");
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) {
    TRIMS_ASSIGN_OR_RETURN(const std::byte byte, window_->ByteAt(position_));
    ++position_;
    value |= std::to_integer<uint64_t>(byte) << 8 * i;
  }
  return value;
}

Result<FileRange> ProtobufReader::Payload() {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t length, Varint());
  if (length > end_ - position_) {
    const bool beyond_file = length > window_->file_size() - position_;
    return Status(beyond_file ? StatusCode::kDataLoss : StatusCode::kInvalidArgument,
                  std::string(beyond_file ? "truncated" : "not a protocol buffer") +
                      ": expected a field of " + std::to_string(length) + " bytes at offset " +
                      std::to_string(position_) + ", came " + std::to_string(end_ - position_));
  }
  const FileRange range{position_, position_ + length};
  position_ += length;
  return range;
}

// Old messages have groups in unknown fields: what is in one is looked at only for its end.
Status ProtobufReader::SkipGroup(uint32_t number) {
  if (++group_depth_ > kMaxGroupDepth) return Malformed("groups nested too deep");
  for (;;) {
    if (AtEnd()) return Malformed("a group that does not end");
    ProtobufReader tag_reader = *this;
    TRIMS_ASSIGN_OR_RETURN(const uint64_t tag, tag_reader.Varint());
    if ((tag & 7) == kEndOfGroup) {
      position_ = tag_reader.position_;
      --group_depth_;
      return tag >> 3 == number ? Status() : Malformed("a group that ends as another");
    }
    TRIMS_RETURN_IF_ERROR(Next().status());
  }
}

Result<std::optional<ProtobufField>> ProtobufReader::Next() {
  if (AtEnd()) return std::optional<ProtobufField>();
  TRIMS_ASSIGN_OR_RETURN(const uint64_t tag, Varint());
  ProtobufField field;
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  if (tag >> 3 == 0 || tag >> 3 >= 1u << 29) return Malformed("a field without a valid number");
  switch (field.type) {
    case WireType::kVarint: {
      TRIMS_ASSIGN_OR_RETURN(field.value, Varint());
      break;
    }
    case WireType::kFixed64: {
      TRIMS_ASSIGN_OR_RETURN(field.value, Fixed(8));
      break;
    }
    case WireType::kFixed32: {
      TRIMS_ASSIGN_OR_RETURN(field.value, Fixed(4));
      break;
    }
    case WireType::kBytes: {
      TRIMS_ASSIGN_OR_RETURN(field.payload, Payload());
      break;
    }
    case WireType::kGroup:
      TRIMS_RETURN_IF_ERROR(SkipGroup(field.number));
      break;
    default:
      return Malformed("a field of type " + std::to_string(tag & 7));
  }
  return std::optional(field);
}

}  // namespace trims
