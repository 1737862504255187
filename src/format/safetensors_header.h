// The JSON of a safetensors header, by events, so that a key that comes twice is seen and nothing
// is built in between. As the reference reads it: fields that the format doesn't have are ignored, of
// a tensor that comes twice the last counts, __metadata__ may be null.
#ifndef TRIMS_FORMAT_SAFETENSORS_HEADER_H_
#define TRIMS_FORMAT_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims {

struct SafetensorsHeader {
  struct Tensor {
    std::string name;
    std::string dtype;
    // The first kMaxTensorRank + 1 of them.
    std::vector<uint64_t> shape;
    std::vector<uint64_t> data_offsets;  // two, not yet compared with anything
    // The product of the whole shape, multiplied in its order; nothing: it overflows on the way.
    std::optional<uint64_t> elements = 1;
  };
  std::vector<Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

// INVALID_ARGUMENT says what was expected and what came.
Result<SafetensorsHeader> ParseSafetensorsHeader(std::string_view json);

}  // namespace trims

#endif  // TRIMS_FORMAT_SAFETENSORS_HEADER_H_
