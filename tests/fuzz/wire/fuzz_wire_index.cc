// An index, checked as the daemon does and looked into as a client does, which does not check.
// Whatever the check accepts must be found by its name.
#include <cstdint>
#include <cstdlib>

#include "wire/index_check.h"
#include "wire/index_reader.h"

namespace {

constexpr uint64_t kLengths[] = {4096, 1000};  // of the seeds' extents
constexpr size_t kLooks = 16;

void Expect(bool holds) {
  if (!holds) std::abort();
}

void LookAtTensors(const trims::wire::IndexReader& reader, bool checked) {
  for (size_t i = 0; i < kLooks; ++i) {
    const auto tensor = reader.Tensor(i);
    if (checked) Expect(tensor.ok());
    if (!tensor.ok() || *tensor == nullptr) continue;
    const auto found = reader.FindTensor((*tensor)->name()->string_view());
    if (checked) Expect(found.ok() && *found == *tensor);
  }
}

void LookAtFiles(const trims::wire::IndexReader& reader, bool checked) {
  for (size_t i = 0; i < kLooks; ++i) {
    const auto file = reader.File(i);
    if (checked) Expect(file.ok());
    if (!file.ok() || *file == nullptr) continue;
    const auto found = reader.FindFile((*file)->name()->string_view());
    if (checked) Expect(found.ok() && *found == *file);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  const bool checked = trims::wire::CheckIndex(bytes, kLengths).ok();
  const trims::wire::IndexReader reader(bytes);
  LookAtTensors(reader, checked);
  LookAtFiles(reader, checked);
  Expect(!checked || reader.FindMetadata("format").ok());
  return 0;
}
