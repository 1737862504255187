// DecodeTarget: the path of a request's target, so that what it names is never a matter of opinion.
//
// Refused, because two programs may read it differently: what doesn't begin with '/', empty, "." and ".." segments, "%2F" and
// "%5C", backslashes, control characters, "%" without two digits, bytes that are no UTF-8, and all of more than 1024 bytes.
// Thread-safety: a pure function.
#ifndef TRIMS_ADMIN_TARGET_H_
#define TRIMS_ADMIN_TARGET_H_

#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims::admin {

inline constexpr size_t kMaxTargetBytes = 1024;

// `raw`: without its query. INVALID_ARGUMENT says what is wrong with it.
Result<std::string> DecodeTarget(std::string_view raw);

}  // namespace trims::admin

#endif  // TRIMS_ADMIN_TARGET_H_
