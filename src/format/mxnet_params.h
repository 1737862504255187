// MxnetParams: reads and checks a .params file, MXNet's list of arrays, which stay where they are until
// somebody copies them.
//
// Arrays of every version are read (the first without a version, V1, V2, and V3 with NumPy's shapes). A
// list without names gives them their numbers, "0", "1", …; of a name that comes twice the last one
// counts; an array without a value is left out. What stands after the list is ignored. All as
// mx.nd.load() has it.
//
//   TRIMS_ASSIGN_OR_RETURN(const MxnetParams model, ReadMxnetParams(file));
//   for (const TensorEntry& tensor : model.tensors) Copy(file, tensor.offset, tensor.length);
//
// Source: NDArray::Save, Load and LegacyLoad of MXNet 1.9.1; dmlc-core's serializers of vectors and
// strings.
//
// Thread-safety: functions of `file`; any number at once.
#ifndef TRIMS_FORMAT_MXNET_PARAMS_H_
#define TRIMS_FORMAT_MXNET_PARAMS_H_

#include <vector>

#include "trims/status.h"

#include "base/random_access.h"
#include "format/tensor_entry.h"

namespace trims {

struct MxnetParams {
  std::vector<TensorEntry> tensors;  // ascending offsets, names unique: "arg:conv0_weight"
  LeftOutTensors left_out;
};

// INVALID_ARGUMENT: not such a list, or malformed; DATA_LOSS: the file ends before the list does;
// UNIMPLEMENTED: an array is stored as row_sparse or csr.
Result<MxnetParams> ReadMxnetParams(const RandomAccess& file);

// Whether it begins as such a list. Errors are ReadAt()'s.
Result<bool> HasMxnetMagic(const RandomAccess& file);

}  // namespace trims

#endif  // TRIMS_FORMAT_MXNET_PARAMS_H_
