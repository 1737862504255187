// The environment's variables and small files of settings, for sources on a network.
// Thread-safety: functions.
#ifndef TRIMS_SOURCE_VARIABLES_H_
#define TRIMS_SOURCE_VARIABLES_H_

#include <cstddef>
#include <initializer_list>
#include <string>

#include "trims/status.h"

#include "source/hub_cache.h"

namespace trims {

// The first of `names` that is set and not empty; empty: none.
std::string VariableOf(const Environment& environment, std::initializer_list<const char*> names);

// "1", "true", "yes" or "on", in any case.
bool IsSwitchedOn(const Environment& environment, const char* name);

// `relative` in the user's home folder; empty: HOME is not set.
std::string InHome(const Environment& environment, const std::string& relative);

// All of a small file; an empty text where there is none. TOO_LARGE; PERMISSION_DENIED;
// FAILED_PRECONDITION: no regular file.
Result<std::string> ReadSettings(const std::string& path, size_t max_bytes = size_t{1} << 20);

}  // namespace trims

#endif  // TRIMS_SOURCE_VARIABLES_H_
