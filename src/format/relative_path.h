// IsPlainRelativePath: whether a path that came from outside can only name something beneath the
// folder it is joined to.
//
// Thread-safety: pure functions.
#ifndef TRIMS_FORMAT_RELATIVE_PATH_H_
#define TRIMS_FORMAT_RELATIVE_PATH_H_

#include <string_view>

namespace trims {

// Not empty, not absolute, no control characters (so that it may stand in a line of text), valid
// UTF-8 (so that it may stand in JSON), at most kMaxPathBytes, and no part of it is empty,
// '.' or '..'. Symbolic links are another matter.
bool IsPlainRelativePath(std::string_view path);

bool IsUtf8(std::string_view text);

}  // namespace trims

#endif  // TRIMS_FORMAT_RELATIVE_PATH_H_
