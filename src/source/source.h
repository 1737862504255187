// Source: where the bytes of a model come from. file:// now; http(s):// and s3:// are more
// implementations of the same three questions.
//
// Thread-safety: ReadAt from any number of threads at once.
#ifndef TRIMS_SOURCE_SOURCE_H_
#define TRIMS_SOURCE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trims/status.h"

namespace trims {

class Source {
 public:
  virtual ~Source() = default;
  virtual const std::string& name() const = 0;  // for messages
  // Its length when it was opened.
  virtual uint64_t size() const = 0;
  // Fills `out` with the bytes from `offset` on. DATA_LOSS: it ends before, or the device reports
  // an I/O error; what `out` then holds is undefined.
  virtual Status ReadAt(uint64_t offset, std::span<std::byte> out) const = 0;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_SOURCE_H_
