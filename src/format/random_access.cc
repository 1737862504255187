#include "format/random_access.h"

#include <cstring>

#include "base/errno_status.h"
#include "base/sys.h"

namespace trims {
namespace {

Status EndsEarly(const std::string& name, uint64_t offset, uint64_t wanted, uint64_t size) {
  return Status(StatusCode::kDataLoss, "'" + name + "' is truncated: expected " +
                                           std::to_string(wanted) + " bytes at offset " +
                                           std::to_string(offset) + ", the file ends at " +
                                           std::to_string(size));
}

}  // namespace

Status SpanBytes::Read(uint64_t offset, std::span<std::byte> out) const {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) {
    return EndsEarly("the file", offset, out.size(), bytes_.size());
  }
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return Status();
}

Status FileBytes::Read(uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset) {
    return EndsEarly(name_, offset, out.size(), size_);
  }
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        sys::Pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0) return ErrnoStatus("reading '" + name_ + "'");
    if (got == 0) return EndsEarly(name_, offset, out.size(), offset + done);
    done += static_cast<size_t>(got);
  }
  return Status();
}

}  // namespace trims
