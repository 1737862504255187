// Any bytes as a file of settings: refused without their text, or sections whose keys are in lower case
// and whose values have no line ends.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "source/ini_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = trims::ParseIni({reinterpret_cast<const char*>(data), size}, "settings");
  if (!file.ok()) {
    if (file.status().code() != trims::StatusCode::kInvalidArgument) std::abort();
    return 0;
  }
  for (const auto& [name, section] : *file) {
    if (name.empty()) std::abort();
    for (const auto& [key, value] : section) {
      if (key.empty() || key.find_first_of("ABCXYZ\n=") != std::string::npos) std::abort();
      if (value.find('\n') != std::string::npos) std::abort();
    }
  }
  return 0;
}
