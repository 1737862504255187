#include "transfer/header_line.h"

#include "base/ascii.h"

namespace trims {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

}  // namespace

HeaderLine ParseHeaderLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  HeaderLine header{.name = InLowerCase(line.substr(0, colon)), .value = line.substr(colon + 1)};
  while (!header.value.empty() && IsSpace(header.value.front())) header.value.remove_prefix(1);
  while (!header.value.empty() && IsSpace(header.value.back())) header.value.remove_suffix(1);
  return header;
}

}  // namespace trims
