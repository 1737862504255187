// What files of tests hold.
#ifndef TRIMS_TESTS_SUPPORT_CONTENT_H_
#define TRIMS_TESTS_SUPPORT_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <sstream>
#include <string>

namespace trims::test {

inline std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// All of a file; empty if there is none.
inline std::string TextOf(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// Looks random, and is the same for the same seed.
inline std::string Content(size_t length, uint32_t seed = 7) {
  std::string content(length, '\0');
  for (char& c : content) {
    seed = seed * 1664525 + 1013904223;
    c = static_cast<char>(seed >> 24);
  }
  return content;
}

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_CONTENT_H_
