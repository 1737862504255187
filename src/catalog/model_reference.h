// ModelReference: [namespace/]name[:version] or [namespace/]name@sha256:<64 hex digits>, taken
// apart.
//
// Thread-safety: values and a pure parser.
#ifndef TRIMS_CATALOG_MODEL_REFERENCE_H_
#define TRIMS_CATALOG_MODEL_REFERENCE_H_

#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

struct ModelReference {
  std::string name;     // "namespace/name"; the namespace is "default" where none was given
  std::string version;  // empty: the newest
  std::string digest;   // empty, or 64 hexadecimal digits

  std::string ToString() const;
};

// Names, namespaces and versions are 1 to 128 characters of [A-Za-z0-9._-], the first a letter or
// digit. INVALID_ARGUMENT says what is wrong and where. "latest" as version means the newest, as
// does none.
Result<ModelReference> ParseModelReference(std::string_view text);

}  // namespace trims

#endif  // TRIMS_CATALOG_MODEL_REFERENCE_H_
