// SourceUri: where a model comes from, taken apart once at the door.
//
//   TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri("file:///models/my%20net.onnx"));
//   uri.path;        // "/models/my net.onnx"
//   uri.ToString();  // "file:///models/my%20net.onnx"
//
// Text comes in (the command line, a request, a manifest) and goes out; in between it is this value,
// with the path's own bytes. It never holds a secret: it stands in the catalog and in logs.
// Thread-safety: values and pure functions.
#ifndef TRIMS_SOURCE_SOURCE_URI_H_
#define TRIMS_SOURCE_SOURCE_URI_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

struct SourceUri {
  enum class Scheme : uint8_t { kFile, kHttp, kHttps, kS3, kHf, kOci };

  static SourceUri OfPath(std::string absolute_path, bool follow_links = false) {
    return {
        .scheme = Scheme::kFile, .path = std::move(absolute_path), .follow_links = follow_links};
  }
  // Whether it takes a network to read it.
  bool is_remote() const { return scheme != Scheme::kFile; }
  // In ASCII: what ParseSourceUri takes apart.
  std::string ToString() const;

  Scheme scheme = Scheme::kFile;
  // kHttp, kHttps, kOci: "host" or "host:port", in lower case; kS3: the bucket.
  std::string authority = {};
  std::string repository = {};  // kHf: "org/repo"; kOci: its name in the registry
  std::string revision = {};  // kHf: branch, tag or commit; kOci: a tag, or "sha256:" and 64 digits
  // kFile: absolute, without "." parts, doubled or trailing slashes. kHttp, kHttps: from the first
  // slash on and as it is sent, so with its escapes. kS3: a key; with a slash at the end, or empty, a
  // prefix. kHf: a file or a folder in the repository; empty: all of it. kOci: empty.
  std::string path = {};
  std::string query = {};  // kHttp, kHttps: what follows "?", as it is sent
  // Links of a folder may lead out of it: "?links=follow" at the end of the text. Part of where the
  // model comes from, since every later load needs it, too. Of kFile only.
  bool follow_links = false;

  friend bool operator==(const SourceUri&, const SourceUri&) = default;
};

// The scheme's name without a colon, such as "s3".
std::string_view SchemeName(SourceUri::Scheme scheme);

//   file:///path, file://localhost/path or file:/path, each also with ?links=follow
//   https://host[:port]/path[?query], http://…
//   s3://bucket/key, s3://bucket/prefix/, s3://bucket
//   hf://org/repo[@revision][/file], where no revision is main; a slash in one is %2F, but in
//     refs/pr/1 and its like
//   oci://registry[:port]/name:tag or …/name@sha256:digest
// Bytes of a path may be escaped as "%20"; "?", "#" and "%" have to be.
// INVALID_ARGUMENT says what is wrong: another scheme, a relative path, a bad escape, a zero byte, a
// ".." part, a query or fragment where none is known, a path of more than kMaxPathBytes, a user, a
// password or a query's secret (which the message doesn't repeat). UNIMPLEMENTED: gs:// and az://.
Result<SourceUri> ParseSourceUri(std::string_view text);

}  // namespace trims

#endif  // TRIMS_SOURCE_SOURCE_URI_H_
