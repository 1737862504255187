// Granularity: in which units models share their bytes with others.
//
//   TRIMS_ASSIGN_OR_RETURN(const Granularity granularity, GranularityFromName("block"));
//
// Thread-safety: values.
#ifndef TRIMS_BASE_GRANULARITY_H_
#define TRIMS_BASE_GRANULARITY_H_

#include <cstdint>
#include <string_view>

#include "trims/status.h"

namespace trims {

enum class Granularity : uint8_t {
  kModel,  // whole images: equal ones are one segment
  kBlock,  // blocks of kShareBlockBytes: equal ones are there once
  kLayer,  // the same, of `tensors` that are laid so that each long layer begins at a block
};

// Of an extent, at multiples of it: a huge page, so that what is put together is still mapped by huge ones.
inline constexpr uint64_t kShareBlockBytes = uint64_t{2} << 20;

std::string_view GranularityName(Granularity granularity);  // "model", "block", "layer"
// INVALID_ARGUMENT: it is none.
Result<Granularity> GranularityFromName(std::string_view name);

}  // namespace trims

#endif  // TRIMS_BASE_GRANULARITY_H_
