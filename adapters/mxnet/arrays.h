// MXNet's arrays: over a model's own bytes, and of a process's own.
//
// Thread-safety: any thread.
#ifndef TRIMS_ADAPTERS_MXNET_ARRAYS_H_
#define TRIMS_ADAPTERS_MXNET_ARRAYS_H_

#include <memory>
#include <string>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "adapters/mxnet/library.h"

namespace trims::mxnet {

// Over the tensor where it lies, by DLPack; it holds the model. UNIMPLEMENTED: MXNet has no such elements.
Result<Owned> ArrayOver(const Library& mxnet, const std::shared_ptr<Model>& model,
                        const TensorView& tensor);

// Of floats, in the processor's memory; what is in it is MXNet's to say.
Result<Owned> NewArray(const Library& mxnet, const std::vector<uint32_t>& shape);

// UNIMPLEMENTED, with the type that it is of: an array of anything but float32, which MXNet's copying functions
// take and give as it is. `what`: "output 0", for the message.
Status CheckFloats(const Library& mxnet, void* array, const std::string& what);

// "1x3x224x224"; of a scalar "()".
template <typename Shape>
std::string ShapeText(const Shape& shape) {
  std::string text;
  for (const auto extent : shape) text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text.empty() ? "()" : text;
}

}  // namespace trims::mxnet

#endif  // TRIMS_ADAPTERS_MXNET_ARRAYS_H_
