// ParseByteSize: what a person writes for a number of bytes.
//
// Thread-safety: a pure function.
#ifndef TRIMS_TOOLS_TRIMSD_BYTE_SIZE_H_
#define TRIMS_TOOLS_TRIMSD_BYTE_SIZE_H_

#include <cstdint>
#include <string_view>

#include "trims/status.h"

namespace trims::daemon {

// "8GiB", "500MB", "1073741824", or a share of `total_memory`: "50%". INVALID_ARGUMENT says what is
// accepted.
Result<uint64_t> ParseByteSize(std::string_view text, uint64_t total_memory);

}  // namespace trims::daemon

#endif  // TRIMS_TOOLS_TRIMSD_BYTE_SIZE_H_
