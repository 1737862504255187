#include "format/mxnet_cursor.h"

#include <array>

#include "base/macros.h"

namespace trims {

Status MxnetCursor::Expect(uint64_t length, const std::string& what) const {
  if (length <= left()) return Status();
  return Status(StatusCode::kDataLoss, "mxnet: truncated, expected " + std::to_string(length) +
                                           " bytes of " + what + " at byte " +
                                           std::to_string(offset_) + ", the file has " +
                                           std::to_string(left()) + " more");
}

Status MxnetCursor::Read(std::span<std::byte> out, const char* what) {
  TRIMS_RETURN_IF_ERROR(Expect(out.size(), what));
  if (!out.empty()) TRIMS_RETURN_IF_ERROR(file_.ReadAt(offset_, out));
  offset_ += out.size();
  return Status();
}

Result<uint32_t> MxnetCursor::U32(const char* what) {
  std::array<std::byte, 4> bytes;
  TRIMS_RETURN_IF_ERROR(Read(bytes, what));
  uint32_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= uint32_t{std::to_integer<uint8_t>(bytes[i])} << 8 * i;
  return value;
}

Result<uint64_t> MxnetCursor::U64(const char* what) {
  TRIMS_ASSIGN_OR_RETURN(const uint64_t low, U32(what));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t high, U32(what));
  return high << 32 | low;
}

Result<std::string> MxnetCursor::Text(uint64_t length, const char* what) {
  TRIMS_RETURN_IF_ERROR(Expect(length, what));
  std::string text(static_cast<size_t>(length), '\0');
  TRIMS_RETURN_IF_ERROR(Read(std::as_writable_bytes(std::span(text)), what));
  return text;
}

Status MxnetCursor::Skip(uint64_t length, const std::string& what) {
  TRIMS_RETURN_IF_ERROR(Expect(length, what));
  offset_ += length;
  return Status();
}

}  // namespace trims
