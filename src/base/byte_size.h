// ParseByteSize: what a person writes for a number of bytes.
//
// Thread-safety: a pure function.
#ifndef TRIMS_BASE_BYTE_SIZE_H_
#define TRIMS_BASE_BYTE_SIZE_H_

#include <cstdint>
#include <string_view>

#include "trims/status.h"

namespace trims {

// "8GiB", "500MB" or "1073741824". INVALID_ARGUMENT says what is accepted.
Result<uint64_t> ParseByteSize(std::string_view text);
// The same, or a share of `total_memory`: "50%".
Result<uint64_t> ParseByteSize(std::string_view text, uint64_t total_memory);

}  // namespace trims

#endif  // TRIMS_BASE_BYTE_SIZE_H_
