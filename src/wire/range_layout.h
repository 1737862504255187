// RangeLayout: where the extents of a segment lie in the one contiguous range into which a client
// maps them.
//
// The one definition that preparer, daemon and client share: each extent starts at the next
// multiple of 2 MiB, and the range ends with the last byte of the last extent.
//
//     RangeLayout layout;
//     for (const uint64_t length : lengths) {
//       TRIMS_ASSIGN_OR_RETURN(const uint64_t offset, layout.Append(length));
//       Place(offset, length);
//     }
//     index.length = layout.length();
//
// Thread-safety: pure functions.
#ifndef TRIMS_WIRE_RANGE_LAYOUT_H_
#define TRIMS_WIRE_RANGE_LAYOUT_H_

#include <cstdint>

#include "trims/status.h"

#include "base/mapping.h"
#include "base/model_limits.h"

namespace trims::wire {

class RangeLayout {
 public:
  static constexpr uint64_t kMaxLength = kMaxModelBytes;

  // The offset of the next extent. INVALID_ARGUMENT: no bytes, or the range would pass kMaxLength.
  Result<uint64_t> Append(uint64_t length) {
    const uint64_t offset = AlignUp(length_, kHugePageSize);
    if (length == 0 || length > kMaxLength || offset > kMaxLength - length)
      return Status(StatusCode::kInvalidArgument, "an extent of no bytes or too many");
    length_ = offset + length;
    return offset;
  }

  uint64_t length() const { return length_; }

 private:
  uint64_t length_ = 0;
};

}  // namespace trims::wire

#endif  // TRIMS_WIRE_RANGE_LAYOUT_H_
