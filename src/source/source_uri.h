// SourceUri: where a model comes from, taken apart once at the door.
//
//   TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri("file:///models/my%20net.onnx"));
//   uri.path;        // "/models/my net.onnx"
//   uri.ToString();  // "file:///models/my%20net.onnx"
//
// Text comes in (the command line, a request, a manifest) and goes out; in between it is this value,
// with the path's own bytes. Thread-safety: values and pure functions.
#ifndef TRIMS_SOURCE_SOURCE_URI_H_
#define TRIMS_SOURCE_SOURCE_URI_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

struct SourceUri {
  enum class Scheme : uint8_t { kFile };

  static SourceUri OfPath(std::string absolute_path, bool follow_links = false) {
    return {
        .scheme = Scheme::kFile, .path = std::move(absolute_path), .follow_links = follow_links};
  }
  // In ASCII: what ParseSourceUri takes apart.
  std::string ToString() const;

  Scheme scheme = Scheme::kFile;
  std::string path;  // of kFile: absolute, without "." parts, doubled or trailing slashes
  // Links of a folder may lead out of it: "?links=follow" at the end of the text. Part of where the
  // model comes from, since every later load needs it, too.
  bool follow_links = false;
};

// file:///path, file://localhost/path or file:/path. INVALID_ARGUMENT says what is wrong: another
// scheme (UNIMPLEMENTED for http, https and object stores), a relative path, a bad escape, a zero
// byte, a ".." part, a fragment or a query other than "links=follow" ("?" and "#" are written %3F and
// %23), a path of more than kMaxPathBytes.
Result<SourceUri> ParseSourceUri(std::string_view text);

}  // namespace trims

#endif  // TRIMS_SOURCE_SOURCE_URI_H_
