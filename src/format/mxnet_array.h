// The head of one array in a list of MXNet's: what stands before its bytes, in every version.
#ifndef TRIMS_FORMAT_MXNET_ARRAY_H_
#define TRIMS_FORMAT_MXNET_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trims/dtype.h"
#include "trims/status.h"

#include "base/random_access.h"

namespace trims {

// Reads a file from its beginning to its end, and says what it expected where it ends too early.
class MxnetCursor {
 public:
  explicit MxnetCursor(const RandomAccess& file) : file_(file) {}

  uint64_t offset() const { return offset_; }
  uint64_t left() const { return file_.size() - offset_; }
  // DATA_LOSS: fewer bytes are left. `what`: for that message.
  Status Expect(uint64_t length, const std::string& what) const;
  // Little endian.
  Result<uint32_t> U32(const char* what);
  Result<uint64_t> U64(const char* what);
  Result<std::string> Text(uint64_t length, const char* what);
  Status Skip(uint64_t length, const std::string& what);

 private:
  Status Read(std::span<std::byte> out, const char* what);

  const RandomAccess& file_;
  uint64_t offset_ = 0;
};

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
