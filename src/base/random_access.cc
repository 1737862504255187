#include "base/random_access.h"

#include <cstring>

namespace trims {

Status SpanBytes::ReadAt(uint64_t offset, std::span<std::byte> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
    return Status(StatusCode::kDataLoss, "'" + name_ + "' is truncated: expected " +
                                             std::to_string(out.size()) + " bytes at offset " +
                                             std::to_string(offset) + ", it ends at " +
                                             std::to_string(bytes_.size()));
  }
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return Status();
}

}  // namespace trims
