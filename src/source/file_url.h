// file:// URLs and the absolute paths that they mean.
//
//   ParseFileUrl("file:///models/my%20net.onnx")  →  "/models/my net.onnx"
//   FileUrl("/models/my net.onnx")                →  "file:///models/my%20net.onnx"
//
// A URL is taken apart once, where it enters (the daemon, trims, trims-prepare), and a path is made
// a URL where it leaves; in between it is a path with its own bytes. Thread-safety: pure functions.
#ifndef TRIMS_SOURCE_FILE_URL_H_
#define TRIMS_SOURCE_FILE_URL_H_

#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

// The host is empty or "localhost". The path comes back without "." parts, doubled or trailing
// slashes. INVALID_ARGUMENT says what is wrong: another scheme (UNIMPLEMENTED for http, https and
// s3), a relative path, a bad escape, a zero byte, a ".." part, a query or fragment ("?" and "#"
// are written %3F and %23), more than 4096 bytes.
Result<std::string> ParseFileUrl(std::string_view url);

// The URL of an absolute path, in ASCII: what ParseFileUrl takes apart.
std::string FileUrl(std::string_view absolute_path);

}  // namespace trims

#endif  // TRIMS_SOURCE_FILE_URL_H_
