// A file in the place of a kept segment's record. What parses must parse to the same after it was formatted again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "keeper/kept_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const trims::Result<trims::KeptRecord> record = trims::ParseKeptRecord(text);
  if (!record.ok()) return 0;
  const trims::Result<trims::KeptRecord> again =
      trims::ParseKeptRecord(trims::FormatKeptRecord(*record));
  if (!again.ok() || *again != *record) std::abort();
  return 0;
}
