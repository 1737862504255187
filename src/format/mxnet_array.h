// The head of one array in a list of MXNet's: what stands before its bytes, in every version.
//
// Thread-safety: as the cursor's.
#ifndef TRIMS_FORMAT_MXNET_ARRAY_H_
#define TRIMS_FORMAT_MXNET_ARRAY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "trims/dtype.h"
#include "trims/status.h"

#include "format/mxnet_cursor.h"

namespace trims {

struct MxnetArrayHead {
  bool has_value = false;  // else nothing follows, and what is below says nothing
  DType dtype = DType::kUnknown;
  std::vector<uint64_t> shape;
  uint64_t length = 0;  // of the bytes that follow; not compared with the file's length
};

// `which`: "array 3 of 161", for messages.
Result<MxnetArrayHead> ReadMxnetArrayHead(MxnetCursor& cursor, const std::string& which);

}  // namespace trims

#endif  // TRIMS_FORMAT_MXNET_ARRAY_H_
