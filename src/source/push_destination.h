// ParsePushDestination: where a prepared model is written to, taken apart once at the door.
//
//   ParsePushDestination("s3://bucket/models/ocr/")->path;  // "models/ocr/"
//   ParsePushDestination("file:///exports/ocr")->path;      // "/exports/ocr"
//
// Thread-safety: a pure function.
#ifndef TRIMS_SOURCE_PUSH_DESTINATION_H_
#define TRIMS_SOURCE_PUSH_DESTINATION_H_

#include <string_view>

#include "trims/status.h"

#include "source/source_uri.h"

namespace trims {

// A folder (file:///…) or a prefix of a bucket (s3://BUCKET/PREFIX/, s3://BUCKET). UNIMPLEMENTED: another
// kind of URL; INVALID_ARGUMENT: no URL, or a key, which is a single object; or as ParseSourceUri().
Result<SourceUri> ParsePushDestination(std::string_view text);

}  // namespace trims

#endif  // TRIMS_SOURCE_PUSH_DESTINATION_H_
