// TypedSourceUrl: what a person typed as SOURCE, as the URL that the daemon is sent.
//
//   TypedSourceUrl("model.onnx", "/models")   → "file:///models/model.onnx"
//   TypedSourceUrl("my net.onnx", "/models")  → "file:///models/my%20net.onnx"
//   TypedSourceUrl("hf://org/net", "/models") → "hf://org/net@main"
//
// Looks at the file system, so that a slip is told at once and by the name that was looked for.
#ifndef TRIMS_SOURCE_TYPED_SOURCE_H_
#define TRIMS_SOURCE_TYPED_SOURCE_H_

#include <stdlib.h>

#include <string>
#include <string_view>

#include "trims/status.h"

#include "source/hub_cache.h"

namespace trims {

struct TypedSourceOptions {
  bool follow_links = false;           // links of a folder may lead out of it
  Environment environment = ::getenv;  // says where the hub's cache is
};

// A path, as it is (a relative one against `working_folder`, which is absolute), or a file:/// URL,
// escaped (source/source_uri.h), of a file or folder that this process may read; a repository of the
// hub's cache is looked up there (source/hub_cache.h). NOT_FOUND gives the absolute path and a near
// name from the same folder; PERMISSION_DENIED; INVALID_ARGUMENT for an empty one, a file URL with a
// host, or what is neither file nor folder.
// A URL of a source on a network (https, s3, hf, oci: source/source_uri.h) is checked, written out
// whole and passed through: only the daemon looks whether it is there. INVALID_ARGUMENT also for links
// to follow in one and for a page of the hub, which is no file.
Result<std::string> TypedSourceUrl(std::string_view source, const std::string& working_folder,
                                   const TypedSourceOptions& options = {});

}  // namespace trims

#endif  // TRIMS_SOURCE_TYPED_SOURCE_H_
