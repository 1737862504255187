// Memfds as a daemon has them, and as a forger would.
#ifndef TRIMS_TESTS_KEEPER_MEMFDS_H_
#define TRIMS_TESTS_KEEPER_MEMFDS_H_

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <string>

#include "base/unique_fd.h"
#include "keeper/kept_record.h"
#include "store/host_memory.h"

namespace trims::test {

inline UniqueFd Sealed(const std::string& text) {
  return std::move(SealedCopy("kept", std::as_bytes(std::span(text))).value()).TakeFd();
}

inline UniqueFd Unsealed(const std::string& text) {
  UniqueFd fd(::memfd_create("kept", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  static_cast<void>(!::write(fd.get(), text.data(), text.size()));
  return fd;
}

inline UniqueFd Duplicate(const UniqueFd& fd) {
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
}

// Another open file of the same memfd.
inline UniqueFd Again(const UniqueFd& fd) {
  return UniqueFd(
      ::open(("/proc/self/fd/" + std::to_string(fd.get())).c_str(), O_RDONLY | O_CLOEXEC));
}

inline std::string TextIn(int fd) {
  char text[64] = {};
  static_cast<void>(!::pread(fd, text, sizeof text - 1, 0));
  return text;
}

inline const std::string kLabelA(64, 'a');
inline const std::string kLabelB(64, 'b');

}  // namespace trims::test

#endif  // TRIMS_TESTS_KEEPER_MEMFDS_H_
