// IsPlainPath: whether a path that came from outside can only name something beneath the folder
// that it is joined to, symbolic links apart.
//
// Thread-safety: a pure function.
#ifndef TRIMS_BASE_PLAIN_PATH_H_
#define TRIMS_BASE_PLAIN_PATH_H_

#include <string_view>

namespace trims {

// No zero byte, and no part of it is empty, "." or "..": so it is neither empty nor absolute.
bool IsPlainPath(std::string_view path);

}  // namespace trims

#endif  // TRIMS_BASE_PLAIN_PATH_H_
