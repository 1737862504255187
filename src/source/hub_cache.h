// HubCachePath: where a repository of the Hugging Face hub lies in this user's cache.
//
//   TRIMS_ASSIGN_OR_RETURN(const std::string path, HubCachePath("hf-cache:org/name@main", getenv));
//   // "…/huggingface/hub/models--org--name/snapshots/1f2e…"
//
// Source: huggingface_hub's documentation of its cache and its environment variables.
// Thread-safety: functions; they look at the file system.
#ifndef TRIMS_SOURCE_HUB_CACHE_H_
#define TRIMS_SOURCE_HUB_CACHE_H_

#include <functional>
#include <string>
#include <string_view>

#include "trims/status.h"

namespace trims {

using Environment = std::function<const char*(const char* name)>;

bool IsHubCacheSource(std::string_view source);

// hf-cache:[ORG/]NAME[@REVISION][/FILE], or with a file but no revision hf-cache:ORG/NAME/FILE.
// REVISION is a branch, a tag, or (the beginning of) a commit; without one it is main. The cache is
// $HF_HUB_CACHE, else $HUGGINGFACE_HUB_CACHE, else $HF_HOME/hub, else
// $XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub. NOT_FOUND says what is there
// instead, and the command that gets what is missing. INVALID_ARGUMENT: a name that a hub can't
// have, or the beginning of several commits, or fewer than four digits of one.
Result<std::string> HubCachePath(std::string_view source, const Environment& environment);

// The hf-cache: source that somebody meant who wrote ORG/NAME, hf://ORG/NAME or the address of one of
// the hub's pages; empty: nothing of the kind.
std::string HubCacheSourceFor(std::string_view source);

// "hf download ORG/NAME FILE --revision REVISION"; empty parts are left away. Empty: a part would be
// taken for an option.
std::string DownloadCommand(const std::string& repository, const std::string& revision,
                            const std::string& file);

// The command that completes the snapshot in which `path` lies; empty: in none, or as above.
std::string DownloadOfSnapshot(std::string_view path);

// The snapshot that a repository's own folder (…/models--ORG--NAME) means: that of main; where there
// is no main, the only one. Empty: `path` is no such folder. NOT_FOUND: it has no such snapshot.
Result<std::string> SnapshotOfRepository(const std::string& path);

}  // namespace trims

#endif  // TRIMS_SOURCE_HUB_CACHE_H_
