// MappedHostBytes: a memfd of the host's, mapped to be read by the processor that copies from it; and what each kind of
// device memory checks alike.
//
//   TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<HostBytes> from, MappedHostBytes::Attach(fd, length));
//   TRIMS_ASSIGN_OR_RETURN(const std::byte* bytes, MappedHostBytes::Part(*from, offset, length, memory_length));
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

class MappedHostBytes final : public HostBytes {
 public:
  static Result<std::unique_ptr<HostBytes>> Attach(int fd, uint64_t length);

  // The bytes [offset, offset + length) of `from`, which Attach() made, to be copied into memory of
  // `memory_length` bytes. INVALID_ARGUMENT: they are not in both.
  static Result<std::span<const std::byte>> Part(const HostBytes& from, uint64_t offset,
                                                 uint64_t length, uint64_t memory_length);

 private:
  MappedHostBytes(Mapping mapping, uint64_t length)
      : mapping_(std::move(mapping)), length_(length) {}

  const Mapping mapping_;
  const uint64_t length_;
};

// What a second Export(), or a copy after it, is answered: FAILED_PRECONDITION.
Status AlreadyExported();

}  // namespace trims

#endif  // TRIMS_DEVICE_MAPPED_HOST_BYTES_H_
