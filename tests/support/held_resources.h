// HeldFds and MappedMemfds: what this process holds, to show that nothing leaked.
#ifndef TRIMS_TESTS_SUPPORT_HELD_RESOURCES_H_
#define TRIMS_TESTS_SUPPORT_HELD_RESOURCES_H_

#include <cstddef>
#include <fstream>
#include <string>

#include "support/open_fds.h"

namespace trims::test {

inline size_t HeldFds() { return OpenFds(); }

inline size_t MappedMemfds() {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/memfd:") != std::string::npos) ++count;
  }
  return count;
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_HELD_RESOURCES_H_
