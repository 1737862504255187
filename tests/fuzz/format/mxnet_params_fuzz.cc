// Whatever the bytes, a reader answers with a Status; what it accepts lies inside the file.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "format/mxnet_params.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const trims::SpanBytes file(std::as_bytes(std::span(data, size)));
  const trims::Result<trims::MxnetParams> model = trims::ReadMxnetParams(file);
  if (!model.ok()) return 0;
  for (const trims::TensorEntry& tensor : model->tensors) {
    if (tensor.offset > size || tensor.length > size - tensor.offset) std::abort();
    if (!trims::CheckTensorName(tensor.name).ok()) std::abort();
  }
  return 0;
}
