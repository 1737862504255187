// Plain paths: those that came from outside and can only name something beneath the folder that they
// are joined to, symbolic links apart.
//
// Thread-safety: pure functions.
#ifndef TRIMS_BASE_PLAIN_PATH_H_
#define TRIMS_BASE_PLAIN_PATH_H_

#include <optional>
#include <string>
#include <string_view>

namespace trims {

// No part of it is empty, "." or "..": so it is neither empty nor absolute. No control characters (so
// that it may stand in a line of text), UTF-8 (so that it may stand in JSON), and at most
// kMaxPathBytes.
bool IsPlainPath(std::string_view path);

// Such a path of one part.
bool IsPlainName(std::string_view name);

// What exporters write for one: "./sub//w.bin" is "sub/w.bin". Nothing for any other path, and none with
// "..", which links may make another folder than its text says.
std::optional<std::string> PlainPathOf(std::string_view path);

// The folder it is in, with its slash; empty for a name alone.
std::string_view FolderOfPath(std::string_view path);

}  // namespace trims

#endif  // TRIMS_BASE_PLAIN_PATH_H_
