// Whatever the bytes, a reader answers with a Status; what it accepts lies inside the file and
// decodes to its length.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "format/onnx.h"

namespace {

void CheckTensor(const trims::RandomAccess& file, const trims::OnnxTensor& tensor) {
  using Storage = trims::OnnxTensor::Storage;
  const trims::TensorEntry& entry = tensor.entry;
  if (entry.dtype == trims::DType::kUnknown || tensor.storage == Storage::kExternal) return;
  if (tensor.storage == Storage::kRaw) {
    if (entry.offset > file.size() || entry.length > file.size() - entry.offset) std::abort();
    return;
  }
  uint64_t bytes = 0;
  const trims::Status status =
      trims::DecodeTyped(file, tensor, [&](std::span<const std::byte> chunk) {
        bytes += chunk.size();
        return trims::Status();
      });
  if (!status.ok() || bytes != entry.length) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const trims::SpanBytes file(std::as_bytes(std::span(data, size)));
  const trims::Result<trims::OnnxModel> model = trims::ReadOnnx(file);
  if (!model.ok()) return 0;
  for (const trims::OnnxTensor& tensor : model->initializers) CheckTensor(file, tensor);
  return 0;
}
