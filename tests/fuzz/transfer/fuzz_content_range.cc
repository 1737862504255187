// Any bytes as a Content-Range: none, or a range that is not empty and lies in the object.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "transfer/content_range.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto range = trims::ParseContentRange({reinterpret_cast<const char*>(data), size});
  if (!range) return 0;
  if (range->length == 0 || range->first + range->length < range->first) std::abort();
  if (range->total && range->first + range->length > *range->total) std::abort();
  return 0;
}
