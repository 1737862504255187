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
#include "prepare/source_files.h"

namespace trims {

struct OnnxSource {
  const SourceFile* file = nullptr;
  OnnxModel model;
  std::map<std::string, const SourceFile*> external;  // by location
  uint64_t bytes = 0;                                 // of all these files
};

// INVALID_ARGUMENT, NOT_FOUND: external data is not in the source; DATA_LOSS: it is shorter than
// the model says.
Result<OnnxSource> ReadOnnxSource(const SourceFiles& source, const SourceFile& file);

}  // namespace trims

#endif  // TRIMS_PREPARE_ONNX_SOURCE_H_
