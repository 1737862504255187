// Any bytes as a model reference: refused with INVALID_ARGUMENT, or taken apart and put together
// again the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "catalog/model_reference.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = trims::ParseModelReference(text);
  if (!parsed.ok()) {
    if (parsed.status().code() != trims::StatusCode::kInvalidArgument) std::abort();
    return 0;
  }
  const auto again = trims::ParseModelReference(parsed->ToString());
  if (!again.ok() || again->ToString() != parsed->ToString()) std::abort();
  return 0;
}
