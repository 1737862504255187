// Any bytes as a source's URI: refused with INVALID_ARGUMENT (or, for stores that are not there yet,
// UNIMPLEMENTED), or taken apart and put together again the same, in ASCII.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/model_limits.h"
#include "source/source_uri.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = trims::ParseSourceUri(text);
  if (!parsed.ok()) {
    const trims::StatusCode code = parsed.status().code();
    if (code != trims::StatusCode::kInvalidArgument && code != trims::StatusCode::kUnimplemented)
      std::abort();
    return 0;
  }
  const std::string written = parsed->ToString();
  if (written.size() > trims::kMaxSourceBytes) std::abort();
  for (const char c : written) {
    if (c <= ' ' || c >= 0x7f) std::abort();
  }
  const auto again = trims::ParseSourceUri(written);
  if (!again.ok() || *again != *parsed) std::abort();
  return 0;
}
