// OnnxSource: an ONNX model together with the files of its external data. What in it could not be
// read is in model.doubt: whether the model lives without, ONNX Runtime knows.
//
// Thread-safety: const members from any thread.
#ifndef TRIMS_PREPARE_ONNX_SOURCE_H_
#define TRIMS_PREPARE_ONNX_SOURCE_H_

#include <cstdint>
#include <map>
#include <string>

#include "trims/status.h"

#include "format/onnx.h"
#include "source/file_tree.h"

namespace trims {

struct OnnxSource {
  const ListedFile* file = nullptr;
  OnnxModel model;
  std::map<std::string, const ListedFile*> external;  // by location
  uint64_t bytes = 0;                                 // of all these files
};

// INVALID_ARGUMENT, DATA_LOSS: ReadOnnx() refuses the file. Tensors whose external data is not in
// the source, or shorter than the model says, are left out like others that can't be read, and
// model.doubt says so: INVALID_ARGUMENT, NOT_FOUND or DATA_LOSS.
Result<OnnxSource> ReadOnnxSource(const FileTree& source, const ListedFile& file);

}  // namespace trims

#endif  // TRIMS_PREPARE_ONNX_SOURCE_H_
