// OpenFds: how many descriptors this process has open, for tests that nothing leaks.
#ifndef TRIMS_TESTS_SUPPORT_OPEN_FDS_H_
#define TRIMS_TESTS_SUPPORT_OPEN_FDS_H_

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace trims::test {

inline size_t OpenFds() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_OPEN_FDS_H_
