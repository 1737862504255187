// Percent escapes of URLs. Thread-safety: pure functions.
#ifndef TRIMS_SOURCE_PERCENT_H_
#define TRIMS_SOURCE_PERCENT_H_

#include <string>
#include <string_view>

namespace trims {

// False: an escape that isn't two hexadecimal digits, or a zero byte; then `decoded` is undefined.
bool PercentDecode(std::string_view text, std::string* decoded);

// What a path in a URL can't hold as it is, and the bytes of `besides`, as "%41".
std::string PercentEncode(std::string_view text, std::string_view besides = "");

// All but letters, digits, "-", "_", "." and "~", and but the bytes of `kept`: what signatures of S3
// and values of a query need.
std::string PercentEncodeStrictly(std::string_view text, std::string_view kept = "");

}  // namespace trims

#endif  // TRIMS_SOURCE_PERCENT_H_
