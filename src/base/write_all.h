// WriteAll: all bytes to a descriptor, in as many writes as it takes.
//
//   if (!WriteAll(fd, bytes)) return ErrnoStatus("can't write " + path);
//
// Thread-safety: as write(2).
#ifndef TRIMS_BASE_WRITE_ALL_H_
#define TRIMS_BASE_WRITE_ALL_H_

#include <cstddef>
#include <span>

namespace trims {

// False: errno says why, and some may have been written.
bool WriteAll(int fd, std::span<const std::byte> bytes);

}  // namespace trims

#endif  // TRIMS_BASE_WRITE_ALL_H_
