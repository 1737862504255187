// HostCopy: what becomes of a model's copy beneath once a tier above has its own: it stays by its own tier's policy, it goes, or it
// stays as long as the one above.
//
//   TRIMS_ASSIGN_OR_RETURN(const HostCopy copy, ParseHostCopy("drop"));
//
// Thread-safety: pure functions.
#ifndef TRIMS_RESIDENCY_HOST_COPY_H_
#define TRIMS_RESIDENCY_HOST_COPY_H_

#include <string_view>

#include "trims/status.h"

namespace trims {

// kDrop: with its last lease, at once where there is none. An operator's pin beneath is stronger.
enum class HostCopy { kKeep, kDrop, kPin };

std::string_view HostCopyName(HostCopy copy);  // "keep", "drop", "pin"
// INVALID_ARGUMENT names those there are.
Result<HostCopy> ParseHostCopy(std::string_view name);

}  // namespace trims

#endif  // TRIMS_RESIDENCY_HOST_COPY_H_
