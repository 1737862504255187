// MxnetCursor: reads a file of MXNet's from its beginning to its end, number by number, and says what it
// expected where the file ends too early. It borrows the file.
//
// Thread-safety: one thread at a time.
#ifndef TRIMS_FORMAT_MXNET_CURSOR_H_
#define TRIMS_FORMAT_MXNET_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trims/status.h"

#include "base/random_access.h"

namespace trims {

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

}  // namespace trims

#endif  // TRIMS_FORMAT_MXNET_CURSOR_H_
