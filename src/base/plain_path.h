// IsPlainPath: whether a path that came from outside can only name something beneath the folder
// that it is joined to, symbolic links apart.
//
// Thread-safety: a pure function.
#ifndef TRIMS_BASE_PLAIN_PATH_H_
#define TRIMS_BASE_PLAIN_PATH_H_

#include <string_view>

namespace trims {

// No part of it is empty, "." or "..": so it is neither empty nor absolute. No control characters (so
// that it may stand in a line of text), UTF-8 (so that it may stand in JSON), and at most
// kMaxPathBytes.
bool IsPlainPath(std::string_view path);

}  // namespace trims

#endif  // TRIMS_BASE_PLAIN_PATH_H_
