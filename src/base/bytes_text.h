// BytesText: a number of bytes in a message, where the exact one counts: "4096 bytes". Thread-safety: a pure function.
#ifndef TRIMS_BASE_BYTES_TEXT_H_
#define TRIMS_BASE_BYTES_TEXT_H_

#include <cstdint>
#include <string>

namespace trims {

inline std::string BytesText(uint64_t count) { return std::to_string(count) + " bytes"; }

}  // namespace trims

#endif  // TRIMS_BASE_BYTES_TEXT_H_
