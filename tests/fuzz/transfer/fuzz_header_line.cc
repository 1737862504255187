// Any bytes as a header line: a name without capitals and colons, and a value of the line's own bytes without
// blanks around it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "transfer/header_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const trims::HeaderLine header = trims::ParseHeaderLine(line);
  if (header.name.size() + header.value.size() > line.size()) std::abort();
  for (const char c : header.name) {
    if (c == ':' || (c >= 'A' && c <= 'Z')) std::abort();
  }
  if (header.value.empty()) return 0;
  if (header.value.data() < line.data() ||
      header.value.data() + header.value.size() > line.data() + line.size())
    std::abort();
  constexpr std::string_view kBlanks = " \t\r\n";
  if (kBlanks.find(header.value.front()) != std::string_view::npos) std::abort();
  if (kBlanks.find(header.value.back()) != std::string_view::npos) std::abort();
  return 0;
}
