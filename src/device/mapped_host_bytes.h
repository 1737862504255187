// MappedHostBytes: a memfd of the host's, mapped to be read by the processor that copies from it; and what each kind of
// device memory checks alike.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<CopySource> from, MappedHostBytes::Attach(fd, length));
//   TRIMS_ASSIGN_OR_RETURN(std::span<const std::byte> bytes, MappedHostBytes::Part(*from, offset, length));
//
// Thread-safety: immutable.
#ifndef TRIMS_DEVICE_MAPPED_HOST_BYTES_H_
#define TRIMS_DEVICE_MAPPED_HOST_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "trims/status.h"

#include "base/mapping.h"
#include "device/device.h"

namespace trims {

class MappedHostBytes final : public CopySource {
 public:
  // `peers`: it is a simulated peer's, which is the host's memory, too.
  static Result<std::unique_ptr<CopySource>> Attach(int fd, uint64_t length, bool peers = false);

  // The bytes [offset, offset + length) of `from`, which Attach() made. INVALID_ARGUMENT: they are not in it.
  static Result<std::span<const std::byte>> Part(const CopySource& from, uint64_t offset,
                                                 uint64_t length);
  // All of its pages, the last one whole.
  static std::span<const std::byte> PagesOf(const CopySource& from);
  static bool IsPeers(const CopySource& from) {
    return static_cast<const MappedHostBytes&>(from).peers_;
  }

 private:
  MappedHostBytes(Mapping mapping, uint64_t length, bool peers)
      : mapping_(std::move(mapping)), length_(length), peers_(peers) {}

  const Mapping mapping_;
  const uint64_t length_;
  const bool peers_;
};

// INVALID_ARGUMENT: the bytes [offset, offset + length) are not among the first `end`.
Status CheckPart(uint64_t offset, uint64_t length, uint64_t end);

// What a second Export(), or a copy after it, is answered: FAILED_PRECONDITION.
Status AlreadyExported();

}  // namespace trims

#endif  // TRIMS_DEVICE_MAPPED_HOST_BYTES_H_
