#include "source/hub_cache.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "base/macros.h"
#include "base/near_names.h"
#include "base/plain_path.h"
#include "base/shell_quote.h"
#include "base/shown_name.h"
#include "source/link_bounds.h"

namespace trims {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHubScheme = "hf-cache:";
constexpr char kMain[] = "main";
constexpr char kLookedAt[] =
    "HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME and HOME";
constexpr size_t kMaxListed = 1000;
constexpr size_t kLeastCommitDigits = 4;

struct Wanted {
  std::string repository;  // "org/name" or "name"
  std::string revision;    // empty: none is given
  std::string file;        // empty: all
};

std::string FolderName(std::string_view repository) {
  std::string name = "models--" + std::string(repository);
  const size_t slash = name.find('/');
  if (slash != std::string::npos) name.replace(slash, 1, "--");
  return name;
}

// No part of it is an option to the command in a hint.
bool HasNoOption(std::string_view path) {
  return !path.starts_with('-') && path.find("/-") == std::string_view::npos;
}

bool IsPlainPart(std::string_view text) {
  return !text.empty() && text.front() != '.' && text.find("..") == std::string_view::npos &&
         text.find('\0') == std::string_view::npos;
}

std::string Value(const Environment& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? "" : value;
}

Result<fs::path> CacheFolder(const Environment& environment) {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}) {
    const std::string folder = Value(environment, name);
    if (!folder.empty()) return fs::path(folder);
  }
  if (const std::string home = Value(environment, "HF_HOME"); !home.empty()) {
    return fs::path(home) / "hub";
  }
  std::string cache = Value(environment, "XDG_CACHE_HOME");
  if (cache.empty()) {
    const std::string home = Value(environment, "HOME");
    if (home.empty()) {
      return Status(StatusCode::kFailedPrecondition,
                    std::string("none of ") + kLookedAt + " is set",
                    "set HF_HUB_CACHE to the hub's cache");
    }
    cache = home + "/.cache";
  }
  return fs::path(cache) / "huggingface" / "hub";
}

std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end;
       !error && it != end && names.size() < kMaxListed; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Names of folders: a repository's snapshots, by their commits.
std::vector<std::string> SnapshotsOf(const fs::path& repository) {
  const fs::path folder = repository / "snapshots";
  std::vector<std::string> names = NamesIn(folder);
  std::error_code error;
  std::erase_if(names,
                [&](const std::string& name) { return !fs::is_directory(folder / name, error); });
  return names;
}

std::string Download(const Wanted& wanted) {
  return DownloadCommand(wanted.repository, wanted.revision, wanted.file);
}

Status NoRepository(const fs::path& cache, const Wanted& wanted) {
  std::vector<std::string> there;
  for (const std::string& name : NamesIn(cache)) {
    std::string repository = HubNameOf(name);
    if (!repository.empty()) there.push_back(std::move(repository));
  }
  const std::string near = NearestName(wanted.repository, there);
  std::error_code error;
  const std::string missing =
      fs::is_directory(cache, error)
          ? ""
          : std::string(", which is not there (") + kLookedAt + " say where it is)";
  return Status(
      StatusCode::kNotFound,
      "no model '" + wanted.repository + "' in the hub's cache '" + cache.string() + "'" + missing,
      near.empty() ? "get it: " + Download(wanted)
                   : "did you mean " + ShellQuote("hf-cache:" + near) + "?");
}

Result<Wanted> ParseHubSource(std::string_view source) {
  std::string_view rest = source.substr(kHubScheme.size());
  while (rest.starts_with('/')) rest.remove_prefix(1);
  Wanted wanted;
  const size_t at = rest.find('@');
  if (at != std::string_view::npos) {
    wanted.repository = rest.substr(0, at);
    wanted.revision = rest.substr(at + 1);
  } else {
    const size_t name = rest.find('/');
    const size_t file = name == std::string_view::npos ? name : rest.find('/', name + 1);
    wanted.repository = rest.substr(0, file);
    if (file != std::string_view::npos) wanted.file = rest.substr(file + 1);
  }
  const bool one_slash = std::count(wanted.repository.begin(), wanted.repository.end(), '/') <= 1;
  const bool plain = IsPlainPart(wanted.repository) && IsPlainPath(wanted.repository) &&
                     one_slash && (at == std::string_view::npos || IsPlainPath(wanted.revision)) &&
                     (wanted.file.empty() || IsPlainPath(wanted.file));
  const bool options =
      !HasNoOption(wanted.repository) || !HasNoOption(wanted.revision) || !HasNoOption(wanted.file);
  if (plain && !options) return wanted;
  return Status(
      StatusCode::kInvalidArgument,
      "'" + std::string(source) + "' names no model of a hub" +
          (options ? ": expected names that don't begin with '-'" : ""),
      "write hf-cache:ORG/NAME, hf-cache:ORG/NAME@REVISION or hf-cache:ORG/NAME@REVISION/FILE");
}

std::string ReadRef(const fs::path& path) {
  constexpr size_t kMaxRefBytes = 1024;  // anything else is no reference, and might never end
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kMaxRefBytes) return "";
  std::string commit;
  std::ifstream(path) >> commit;
  return IsPlainPart(commit) && commit.find('/') == std::string::npos ? commit : "";
}

Status Ambiguous(const std::string& revision, const std::vector<std::string>& matches) {
  return Status(
      StatusCode::kInvalidArgument,
      "revision '" + revision + "' is ambiguous: the hub's cache has " + ShownNames(matches),
      "write more of it, such as " + ShellQuote(matches.front()));
}

// The snapshot that `revision` is the beginning of.
Result<std::string> CommitThatBegins(const fs::path& repository, const std::string& revision) {
  if (revision.size() < kLeastCommitDigits) return std::string();
  std::vector<std::string> matches;
  for (const std::string& snapshot : SnapshotsOf(repository)) {
    if (snapshot == revision) return snapshot;
    if (snapshot.starts_with(revision)) matches.push_back(snapshot);
  }
  if (matches.size() > 1) return Ambiguous(revision, matches);
  return matches.empty() ? std::string() : matches.front();
}

// The snapshot's name; empty: there is none. A reference may outlive the snapshot that it names.
Result<std::string> CommitOf(const fs::path& repository, const std::string& revision) {
  const std::string commit = ReadRef(repository / "refs" / revision);
  if (commit.empty()) return CommitThatBegins(repository, revision);
  std::error_code error;
  return fs::is_directory(repository / "snapshots" / commit, error) ? commit : std::string();
}

Result<std::string> MainOrOnly(const fs::path& repository) {
  if (!ReadRef(repository / "refs" / kMain).empty()) return CommitOf(repository, kMain);
  const std::vector<std::string> snapshots = SnapshotsOf(repository);
  return snapshots.size() == 1 ? snapshots.front() : std::string();
}

// A revision may hold slashes (refs/pr/1), and a file may follow it: the longest one that is there.
Result<std::string> FindCommit(const fs::path& repository, Wanted* wanted) {
  if (wanted->revision.empty()) return MainOrOnly(repository);
  std::string revision = wanted->revision;
  std::string file;
  for (;;) {
    TRIMS_ASSIGN_OR_RETURN(std::string commit, CommitOf(repository, revision));
    if (!commit.empty()) {
      wanted->revision = revision;
      wanted->file = file;
      return commit;
    }
    const size_t slash = revision.rfind('/');
    if (slash == std::string::npos) return std::string();
    file = revision.substr(slash + 1) + (file.empty() ? "" : "/" + file);
    revision.resize(slash);
  }
}

Status TooShort(const std::string& revision, const std::string& commit) {
  return Status(StatusCode::kInvalidArgument,
                "revision '" + revision + "' is no branch or tag, and too short for a commit: " +
                    "expected at least " + std::to_string(kLeastCommitDigits) + " digits",
                "write more of it, such as " + commit);
}

Status NoRevision(const fs::path& repository, const Wanted& wanted) {
  const std::vector<std::string> snapshots = SnapshotsOf(repository);
  const std::string there = ShownNames(snapshots);
  const std::string revision = wanted.revision.empty() ? kMain : wanted.revision;
  for (const std::string& commit : snapshots) {
    const bool is_short = revision.size() < kLeastCommitDigits && commit.starts_with(revision);
    if (is_short) return TooShort(revision, commit);
  }
  const std::string command = Download(wanted);
  return Status(StatusCode::kNotFound,
                "the hub's cache has no revision '" + revision + "' of '" + wanted.repository +
                    "'; it has " + (there.empty() ? "none" : there),
                command.empty() ? "give the folder of a snapshot" : "get it: " + command);
}

// What follows the hub's address or scheme; the whole text of a bare ORG/NAME; empty: something else.
std::string_view AfterTheHub(std::string_view source, bool* is_url) {
  for (const std::string_view hub :
       {"https://huggingface.co/", "http://huggingface.co/", "https://hf.co/", "hf://"}) {
    *is_url = source.starts_with(hub);
    if (*is_url) return source.substr(hub.size());
  }
  const bool one_slash = std::count(source.begin(), source.end(), '/') == 1;
  return one_slash && source.find(':') == std::string_view::npos ? source : "";
}

// tree/REVISION, blob/REVISION/FILE, resolve/REVISION/FILE: as the hub's pages are addressed.
std::string RevisionOfPage(std::string_view page) {
  for (const std::string_view kind : {"tree/", "blob/", "resolve/"}) {
    if (page.starts_with(kind)) return "@" + std::string(page.substr(kind.size()));
  }
  return "";
}

}  // namespace

std::string HubCacheSourceFor(std::string_view source) {
  bool is_url = false;
  std::string_view rest = AfterTheHub(source, &is_url);
  rest = rest.substr(0, rest.find_first_of("?#"));
  while (is_url && rest.ends_with('/')) rest.remove_suffix(1);
  const size_t slash = rest.find('/');
  const std::string_view first = rest.substr(0, slash);
  if (slash == std::string_view::npos || first.empty() || first == "datasets" || first == "spaces")
    return "";
  const size_t end = rest.find('/', slash + 1);
  std::string named = std::string(kHubScheme) + std::string(rest.substr(0, end));
  if (end != std::string_view::npos) named += RevisionOfPage(rest.substr(end + 1));
  return ParseHubSource(named).ok() ? named : "";
}

bool IsHubCacheSource(std::string_view source) { return source.starts_with(kHubScheme); }

Result<std::string> HubCachePath(std::string_view source, const Environment& environment) {
  TRIMS_ASSIGN_OR_RETURN(Wanted wanted, ParseHubSource(source));
  TRIMS_ASSIGN_OR_RETURN(const fs::path cache, CacheFolder(environment));
  const fs::path repository = cache / FolderName(wanted.repository);
  std::error_code error;
  if (!fs::is_directory(repository, error)) return NoRepository(cache, wanted);
  TRIMS_ASSIGN_OR_RETURN(const std::string commit, FindCommit(repository, &wanted));
  const fs::path snapshot = repository / "snapshots" / commit;
  if (commit.empty()) return NoRevision(repository, wanted);
  if (wanted.file.empty()) return fs::absolute(snapshot, error).string();
  const fs::path file = snapshot / wanted.file;
  if (fs::exists(file, error)) return fs::absolute(file, error).string();
  return Status(StatusCode::kNotFound,
                "the hub's cache has no file '" + wanted.file + "' of '" + wanted.repository + "'",
                "get it: " + Download(wanted));
}

std::string DownloadCommand(const std::string& repository, const std::string& revision,
                            const std::string& file) {
  if (!HasNoOption(repository) || !HasNoOption(revision) || !HasNoOption(file)) return "";
  std::string command = "hf download " + ShellQuote(repository);
  if (!file.empty()) command += " " + ShellQuote(file);
  if (!revision.empty()) command += " --revision " + ShellQuote(revision);
  return command;
}

std::string DownloadOfSnapshot(std::string_view path) {
  const std::string_view repository = HubRepositoryOf(path);
  if (repository.empty()) return "";
  std::string_view commit = path.substr(repository.size() + std::string_view("/snapshots/").size());
  commit = commit.substr(0, commit.find('/'));
  const bool main = ReadRef(fs::path(repository) / "refs" / kMain) == commit;
  return DownloadCommand(HubNameOf(repository), main ? "" : std::string(commit), "");
}

Result<std::string> SnapshotOfRepository(const std::string& path) {
  const fs::path repository(path);
  std::error_code error;
  const bool is_one = !HubNameOf(path).empty() && fs::is_directory(repository / "snapshots", error);
  if (!is_one) return std::string();
  TRIMS_ASSIGN_OR_RETURN(const std::string commit, MainOrOnly(repository));
  const Wanted wanted{.repository = HubNameOf(path), .revision = {}, .file = {}};
  if (commit.empty()) return NoRevision(repository, wanted);
  return (repository / "snapshots" / commit).string();
}

}  // namespace trims
