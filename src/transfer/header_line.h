// ParseHeaderLine: one line of an HTTP head.
//
//   ParseHeaderLine("ETag: \"v1\"\r\n").name;  // "etag"
//
// Thread-safety: a pure function.
#ifndef TRIMS_TRANSFER_HEADER_LINE_H_
#define TRIMS_TRANSFER_HEADER_LINE_H_

#include <string>
#include <string_view>

namespace trims {

// The name in lower case, the value without the space around it; it is part of `line`. A line that is no
// header gives an empty name.
struct HeaderLine {
  std::string name;
  std::string_view value;
};
HeaderLine ParseHeaderLine(std::string_view line);

}  // namespace trims

#endif  // TRIMS_TRANSFER_HEADER_LINE_H_
