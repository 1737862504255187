// Safetensors: reads and checks the header of a .safetensors file.
//
// What the reference implementation reads is read, with the same bytes: header of at most
// 100 000 000 bytes, ranges without holes or overlap from the header's end to the file's end,
// shape × dtype == range. A dtype that nobody knows is passed on by its name, whatever its range.
// docs/formats.md has the differences.
//
//   TRIMS_ASSIGN_OR_RETURN(const Safetensors model, ReadSafetensors(file));
//   for (const TensorEntry& tensor : model.tensors) Copy(file, tensor.offset, tensor.length);
//
// Source: the format's specification and the rules of its reference implementation
// (huggingface/safetensors).
//
// Thread-safety: a function of `file`; any number at once.
#ifndef TRIMS_FORMAT_SAFETENSORS_H_
#define TRIMS_FORMAT_SAFETENSORS_H_

#include <map>
#include <string>
#include <vector>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/tensor_entry.h"

namespace trims {

struct Safetensors {
  std::vector<TensorEntry> tensors;             // ascending offsets
  std::map<std::string, std::string> metadata;  // of "__metadata__"
  LeftOutTensors left_out;                      // the format can have them and an index can't
};

// INVALID_ARGUMENT: a rule is broken; DATA_LOSS: the file ends before its header or its tensors do.
Result<Safetensors> ReadSafetensors(const RandomAccess& file);

}  // namespace trims

#endif  // TRIMS_FORMAT_SAFETENSORS_H_
