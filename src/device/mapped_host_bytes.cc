#include "device/mapped_host_bytes.h"

#include <string>

#include "base/macros.h"

namespace trims {

Result<std::unique_ptr<CopySource>> MappedHostBytes::Attach(int fd, uint64_t length, bool peers) {
  // Whole huge pages: of a hugetlb memfd nothing less can be unmapped.
  TRIMS_ASSIGN_OR_RETURN(Mapping mapping,
                         Mapping::OfFileAligned(fd, length, kHugePageSize, PROT_READ));
  return std::unique_ptr<CopySource>(
      std::unique_ptr<MappedHostBytes>(new MappedHostBytes(std::move(mapping), length, peers)));
}

Result<std::span<const std::byte>> MappedHostBytes::Part(const CopySource& from, uint64_t offset,
                                                         uint64_t length) {
  const auto& host = static_cast<const MappedHostBytes&>(from);
  TRIMS_RETURN_IF_ERROR(CheckPart(offset, length, host.length_));
  return std::span<const std::byte>(host.mapping_.data() + offset, length);
}

std::span<const std::byte> MappedHostBytes::PagesOf(const CopySource& from) {
  const auto& host = static_cast<const MappedHostBytes&>(from);
  return host.mapping_.bytes().first(AlignUp(host.length_, kPageSize));
}

Status CheckPart(uint64_t offset, uint64_t length, uint64_t end) {
  if (offset <= end && length <= end - offset) return Status();
  return Status(StatusCode::kInvalidArgument,
                "bytes " + std::to_string(offset) + " + " + std::to_string(length) +
                    " to copy, of which there are " + std::to_string(end));
}

Status AlreadyExported() {
  return Status(StatusCode::kFailedPrecondition, "this device memory was exported already");
}

}  // namespace trims
