// OnnxSource: an ONNX model together with the files of its external data, looked at and found
// sound.
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

// INVALID_ARGUMENT, NOT_FOUND: external data is not in the source; DATA_LOSS: it is shorter than
// the model says.
Result<OnnxSource> ReadOnnxSource(const FileTree& source, const ListedFile& file);

}  // namespace trims

#endif  // TRIMS_PREPARE_ONNX_SOURCE_H_
