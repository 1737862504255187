// BuildIndex: writes the index (wire/index.fbs) of a variant from what lies where in its extents.
//
//   IndexContent content{.extent_lengths = {4096}, .tensors = {{"w", DType::kF32, {2}, 0, 0, 8}}};
//   TRIMS_ASSIGN_OR_RETURN(const std::string index, BuildIndex(std::move(content)));
//
// Thread-safety: a pure function.
#ifndef TRIMS_PREPARE_INDEX_BUILDER_H_
#define TRIMS_PREPARE_INDEX_BUILDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trims/dtype.h"
#include "trims/status.h"

namespace trims {

struct IndexTensor {
  std::string name;
  DType dtype = DType::kUnknown;
  std::vector<uint64_t> shape;
  uint32_t extent = 0;
  uint64_t offset = 0;  // in the extent
  uint64_t length = 0;
  std::string type_name;  // where the dtype is kUnknown
};

struct IndexFile {
  std::string name;
  uint32_t extent = 0;
  uint64_t offset = 0;  // in the extent
  uint64_t length = 0;
  bool alone = false;
};

struct IndexContent {
  std::vector<uint64_t> extent_lengths;
  std::vector<IndexTensor> tensors;  // any order
  std::vector<IndexFile> files;
  std::map<std::string, std::string> metadata;
};

// INVALID_ARGUMENT: a name comes twice; TOO_LARGE: more than an index may hold; INTERNAL:
// wire::CheckIndex refuses it.
Result<std::string> BuildIndex(IndexContent content);

}  // namespace trims

#endif  // TRIMS_PREPARE_INDEX_BUILDER_H_
