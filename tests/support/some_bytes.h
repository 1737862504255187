// SomeBytes: bytes that differ from place to place, made once: it takes a while without optimisation.
// Thread-safety: safe.
#ifndef TRIMS_TESTS_SUPPORT_SOME_BYTES_H_
#define TRIMS_TESTS_SUPPORT_SOME_BYTES_H_

#include <cstddef>
#include <span>
#include <vector>

namespace trims::test {

inline constexpr size_t kMostOfSomeBytes = 13'000'000;

inline std::span<const std::byte> SomeBytes(size_t count) {
  static const std::vector<std::byte>& bytes = *[] {
    auto* made = new std::vector<std::byte>(kMostOfSomeBytes);
    for (size_t i = 0; i < made->size(); ++i) (*made)[i] = static_cast<std::byte>(i * 13 / 7);
    return made;
  }();
  return std::span(bytes).first(count);
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_SOME_BYTES_H_
