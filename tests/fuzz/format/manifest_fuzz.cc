// Whatever the text, ParseManifest answers with a Status; what it accepts is written and read again
// as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const trims::Result<trims::Manifest> manifest = trims::ParseManifest(text);
  if (!manifest.ok()) return 0;
  const std::string json = trims::ManifestToJson(*manifest);
  const trims::Result<trims::Manifest> again = trims::ParseManifest(json);
  if (!again.ok() || trims::ManifestToJson(*again) != json) std::abort();
  return 0;
}
