// The URIs of sources that lie on a network: how source/source_uri.h takes them apart, and writes them.
//
//   TRIMS_ASSIGN_OR_RETURN(const SourceUri uri,
//                          ParseRemoteUri(SourceUri::Scheme::kHf, "hf://org/net@v2/w.safetensors"));
//   uri.revision;  // "v2"
//
// Thread-safety: pure functions.
#ifndef TRIMS_SOURCE_REMOTE_URI_H_
#define TRIMS_SOURCE_REMOTE_URI_H_

#include <string>
#include <string_view>

#include "trims/status.h"

#include "source/source_uri.h"

namespace trims {

// `url` begins with the scheme's name and "://". Errors are those of ParseSourceUri().
Result<SourceUri> ParseRemoteUri(SourceUri::Scheme scheme, std::string_view url);

std::string RemoteUriText(const SourceUri& uri);

// As an error may show it: without user, password and query, whether the rest is a URL or not.
std::string ShownUrl(std::string_view url);

}  // namespace trims

#endif  // TRIMS_SOURCE_REMOTE_URI_H_
