// Whatever the bytes, a reader answers with a Status, and has no more variables than nodes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/mxnet_symbol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const trims::Result<trims::MxnetSymbol> symbol = trims::ReadMxnetSymbol(text);
  if (symbol.ok() && symbol->variables.size() > symbol->nodes) std::abort();
  return 0;
}
