// MappedFile: the bytes of a whole file where they lie, for as long as this is held.
//
//   TRIMS_ASSIGN_OR_RETURN(const MappedFile model, MapFile(path, "model.onnx"));
//   Read(model.bytes());
//
// A file that somebody cuts meanwhile ends the process: the preparer is a process of its own.
// Thread-safety: like a pointer.
#ifndef TRIMS_PREPARE_MAPPED_FILE_H_
#define TRIMS_PREPARE_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "trims/status.h"

#include "base/mapping.h"

namespace trims {

struct MappedFile {
  Mapping mapping;
  uint64_t length = 0;
  std::span<const std::byte> bytes() const {
    return mapping.bytes().first(static_cast<size_t>(length));
  }
};

// `path` is no link. `name`: as errors call it. INVALID_ARGUMENT: it is empty; errors of opening and mapping.
Result<MappedFile> MapFile(const std::string& path, const std::string& name);

}  // namespace trims

#endif  // TRIMS_PREPARE_MAPPED_FILE_H_
