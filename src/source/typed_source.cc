#include "source/typed_source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/errno_status.h"
#include "base/macros.h"
#include "base/near_names.h"
#include "base/shell_quote.h"
#include "source/source_uri.h"

namespace trims {
namespace {

// A scheme before the first slash. A file whose name holds "://" is written ./name.
bool IsUrl(std::string_view source) {
  const size_t colon = source.find(":/");
  return colon != std::string_view::npos && source.find('/') > colon &&
         (source.starts_with("file:/") || source.substr(colon).starts_with("://"));
}

std::string OfTheHub(std::string_view source) {
  const std::string cached = HubCacheSourceFor(source);
  if (cached.empty()) return "";
  const std::string hub = "hf://" + cached.substr(cached.find(':') + 1);
  return "for a model in the hub's cache: " + ShellQuote(cached) +
         ", to download it: " + ShellQuote(hub);
}

// A page about a model, as it is copied from a browser; files are beneath …/resolve/.
bool IsPageOfTheHub(const SourceUri& uri, std::string_view source) {
  const bool web =
      uri.scheme == SourceUri::Scheme::kHttp || uri.scheme == SourceUri::Scheme::kHttps;
  return web && uri.path.find("/resolve/") == std::string::npos &&
         !HubCacheSourceFor(source).empty();
}

Result<SourceUri> ParseTypedUrl(std::string_view source) {
  Result<SourceUri> uri = ParseSourceUri(source);
  if (uri.ok() && IsPageOfTheHub(*uri, source)) {
    return Status(StatusCode::kInvalidArgument,
                  "'" + uri->ToString() + "' is a page of the hub, expected a model's file",
                  OfTheHub(source));
  }
  const std::string hint = uri.ok() ? "" : OfTheHub(source);
  if (hint.empty()) return uri;
  return Status(uri.status().code(), uri.status().message(), hint);
}

Status CheckRemote(const TypedSourceOptions& options) {
  if (!options.follow_links) return Status();
  return Status(StatusCode::kInvalidArgument, "a source on a network has no links to follow",
                "leave --follow-links away");
}

Result<SourceUri> AbsoluteUri(std::string_view source, const std::string& working_folder,
                              const TypedSourceOptions& options) {
  if (source.empty())
    return Status(StatusCode::kInvalidArgument, "SOURCE is empty: expected a path",
                  "give the path of the model's file or folder");
  if (IsHubCacheSource(source)) {
    TRIMS_ASSIGN_OR_RETURN(std::string path, HubCachePath(source, options.environment));
    return SourceUri::OfPath(std::move(path), options.follow_links);
  }
  if (IsUrl(source)) {
    TRIMS_ASSIGN_OR_RETURN(SourceUri uri, ParseTypedUrl(source));
    if (uri.is_remote()) return uri;
    uri.follow_links |= options.follow_links;
    return uri;
  }
  std::string path = (std::filesystem::path(working_folder) / source).lexically_normal().string();
  return SourceUri::OfPath(std::move(path), options.follow_links);
}

std::string NearInFolder(const std::filesystem::path& path) {
  std::error_code error;
  std::vector<std::string> names;
  constexpr size_t kMaxNames = 1000;
  for (std::filesystem::directory_iterator it(path.parent_path(), error), end;
       !error && it != end && names.size() < kMaxNames; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  return NearestName(path.filename().string(), names);
}

// The first part of `path` that is not there, which is what the person has to look at.
Status NothingThere(const std::filesystem::path& path, std::string_view source) {
  std::error_code error;
  std::filesystem::path missing = path;
  while (missing.has_parent_path() && !std::filesystem::exists(missing.parent_path(), error)) {
    missing = missing.parent_path();
  }
  const std::string message = missing == path ? "no file or folder '" + path.string() + "'"
                                              : "no file or folder '" + path.string() +
                                                    "': there is no '" + missing.string() + "'";
  const std::string near = NearInFolder(missing);
  if (near.empty()) {
    const std::string hub = OfTheHub(source);
    return Status(StatusCode::kNotFound, message,
                  hub.empty() ? "give an existing path as SOURCE" : hub);
  }
  return Status(StatusCode::kNotFound, message,
                "did you mean " + ShellQuote((missing.parent_path() / near).string()) + "?");
}

// Only the owner (or root) can change a mode; the owner's own bits are those that count for the owner.
Status NotReadable(const std::string& path, bool folder, uid_t owner) {
  const bool own = owner == geteuid();
  const std::string command =
      std::string("chmod ") + (own ? "u+" : "o+") + (folder ? "rx " : "r ") + ShellQuote(path);
  return Status(StatusCode::kPermissionDenied, "'" + path + "' may not be read by this user",
                own ? command : "sudo " + command);
}

Status CheckReadable(const std::string& path, std::string_view source) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return NothingThere(path, source);
    return ErrnoStatus("cannot look at '" + path + "'");
  }
  const bool folder = S_ISDIR(info.st_mode);
  if (!folder && !S_ISREG(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument, "'" + path + "' is neither a file nor a folder",
                  "give the path of the model's file or folder");
  }
  if (access(path.c_str(), folder ? R_OK | X_OK : R_OK) != 0) {
    return NotReadable(path, folder, info.st_uid);
  }
  return {};
}

}  // namespace

Result<std::string> TypedSourceUrl(std::string_view source, const std::string& working_folder,
                                   const TypedSourceOptions& options) {
  TRIMS_ASSIGN_OR_RETURN(SourceUri uri, AbsoluteUri(source, working_folder, options));
  if (uri.is_remote()) {
    TRIMS_RETURN_IF_ERROR(CheckRemote(options));
    return uri.ToString();
  }
  while (uri.path.size() > 1 && uri.path.ends_with('/')) uri.path.pop_back();
  TRIMS_RETURN_IF_ERROR(CheckReadable(uri.path, source));
  TRIMS_ASSIGN_OR_RETURN(std::string snapshot, SnapshotOfRepository(uri.path));
  if (!snapshot.empty()) uri.path = std::move(snapshot);
  return uri.ToString();
}

}  // namespace trims
