#include "source/push_destination.h"

#include <string>

#include "base/macros.h"
#include "source/remote_uri.h"

namespace trims {
namespace {

constexpr std::string_view kDestinations =
    "push to a folder, file:///PATH, or to a bucket, s3://BUCKET/PREFIX/";

bool IsOfKind(std::string_view text) {
  return text.starts_with("file:") || text.starts_with("s3://");
}

}  // namespace

Result<SourceUri> ParsePushDestination(std::string_view text) {
  if (!IsOfKind(text)) {
    const bool url = text.find("://") != std::string_view::npos;
    return Status(url ? StatusCode::kUnimplemented : StatusCode::kInvalidArgument,
                  "models can't be pushed to '" + ShownUrl(text) + "' by this build",
                  std::string(kDestinations));
  }
  TRIMS_ASSIGN_OR_RETURN(SourceUri uri, ParseSourceUri(text));
  const bool key = uri.is_remote() && !uri.path.empty() && !uri.path.ends_with('/');
  if (!key) return uri;
  const std::string prefix = uri.ToString() + "/";
  return Status(StatusCode::kInvalidArgument,
                "'" + uri.ToString() + "' names one object, expected a prefix, which ends in '/'",
                "push to " + prefix);
}

}  // namespace trims
