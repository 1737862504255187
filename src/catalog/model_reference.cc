#include "catalog/model_reference.h"

#include <string>

#include "base/macros.h"
#include "base/sha256.h"
#include "base/shown_name.h"

namespace trims {
namespace {

constexpr size_t kMaxPartBytes = 128;
constexpr std::string_view kDefaultNamespace = "default";
constexpr std::string_view kDigestPrefix = "sha256:";

bool IsAlphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsPartCharacter(char c) { return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-'; }

Status Wrong(std::string_view reference, const std::string& why) {
  return Status(StatusCode::kInvalidArgument,
                "model reference '" + ShownName(reference) + "': " + why,
                "write [namespace/]name[:version] or [namespace/]name@sha256:<64 hex digits>");
}

Status CheckPart(std::string_view reference, const char* name, std::string_view part) {
  if (part.empty()) return Wrong(reference, std::string("the ") + name + " is empty");
  if (part.size() > kMaxPartBytes) {
    return Wrong(reference, std::string("the ") + name + " has " + std::to_string(part.size()) +
                                " characters, at most " + std::to_string(kMaxPartBytes) +
                                " are allowed");
  }
  if (!IsAlphanumeric(part[0])) {
    return Wrong(reference, std::string("the ") + name + " must start with a letter or digit");
  }
  for (const char& c : part) {
    if (IsPartCharacter(c)) continue;
    return Wrong(reference, "character " + std::to_string(&c - reference.data() + 1) + ", in the " +
                                name + ", is none of A-Z a-z 0-9 . _ -");
  }
  return {};
}

// Takes what follows `separator` off the end of `rest`; false if it isn't there.
bool TakeAfter(char separator, std::string_view* rest, std::string_view* after) {
  const size_t at = rest->find(separator);
  if (at == std::string_view::npos) return false;
  *after = rest->substr(at + 1);
  *rest = rest->substr(0, at);
  return true;
}

Status CheckDigest(std::string_view reference, std::string_view digest) {
  if (!digest.starts_with(kDigestPrefix) || !IsSha256Hex(digest.substr(kDigestPrefix.size()))) {
    return Wrong(reference, "'@' must be followed by sha256: and 64 lower-case hexadecimal digits");
  }
  return {};
}

}  // namespace

std::string ModelReference::ToString() const {
  if (!digest.empty()) return name + "@" + std::string(kDigestPrefix) + digest;
  return version.empty() ? name : name + ":" + version;
}

Result<ModelReference> ParseModelReference(std::string_view text) {
  std::string_view rest = text;
  std::string_view digest;
  std::string_view version;
  ModelReference parsed;
  if (TakeAfter('@', &rest, &digest)) {
    TRIMS_RETURN_IF_ERROR(CheckDigest(text, digest));
    parsed.digest = digest.substr(kDigestPrefix.size());
  }
  if (TakeAfter(':', &rest, &version)) {
    if (!parsed.digest.empty()) return Wrong(text, "a version and a digest exclude each other");
    TRIMS_RETURN_IF_ERROR(CheckPart(text, "version", version));
    if (version != "latest") parsed.version = version;
  }
  std::string_view space = kDefaultNamespace;
  std::string_view name = rest;
  if (std::string_view after; TakeAfter('/', &rest, &after)) {
    space = rest;
    name = after;
    TRIMS_RETURN_IF_ERROR(CheckPart(text, "namespace", space));
  }
  TRIMS_RETURN_IF_ERROR(CheckPart(text, "name", name));
  parsed.name.reserve(space.size() + 1 + name.size());
  parsed.name.append(space).append(1, '/').append(name);
  return parsed;
}

}  // namespace trims
