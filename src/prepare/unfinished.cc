#include "prepare/unfinished.h"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <unordered_set>
#include <vector>

#include "base/macros.h"
#include "base/shell_quote.h"
#include "base/shown_name.h"
#include "source/hub_cache.h"

namespace trims {
namespace {

constexpr std::string_view kPointer = "version https://git-lfs";
constexpr std::string_view kSize = "\nsize ";
constexpr uint64_t kMaxPointerBytes = 1024;  // git-lfs's own limit
constexpr std::string_view kPartial[] = {".incomplete", ".part",  ".partial", ".crdownload",
                                         ".download",   ".aria2", ".!qB"};

std::string_view PartialSuffix(std::string_view name) {
  for (const std::string_view suffix : kPartial) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) return suffix;
  }
  return {};
}

// Git looks in the folders above, too.
bool IsInGit(const std::string& folder) {
  std::error_code error;
  std::filesystem::path path = folder;
  for (; path.has_relative_path(); path = path.parent_path()) {
    if (std::filesystem::exists(path / ".git", error)) return true;
  }
  return false;
}

std::string GetAgain(const FileTree& source, const ListedFile& file) {
  const std::string download = DownloadOfSnapshot(source.path());
  if (!download.empty()) return "complete it: " + download;
  if (file.name.find(".cache/huggingface/") != std::string::npos) {
    return "run the same hf download again: it goes on where it stopped";
  }
  return "get '" + ShownName(file.name) + "' again";
}

// A folder that came from somebody else may bring a configuration of git's, which names programs.
std::string PullAgain(const FileTree& source, const ListedFile& file) {
  if (!IsInGit(source.folder())) return GetAgain(source, file);
  return "if you trust its configuration, which this runs: git -C " + ShellQuote(source.folder()) +
         " lfs pull";
}

// The text of a pointer; nothing where the file is none.
Result<std::optional<std::string>> PointerText(const FileTree& source, const ListedFile& file) {
  if (file.length > kMaxPointerBytes || file.length < kPointer.size()) {
    return std::optional<std::string>();
  }
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(file.name));
  std::string text(static_cast<size_t>(file.length), '\0');
  TRIMS_RETURN_IF_ERROR(bytes->ReadAt(0, std::as_writable_bytes(std::span(text))));
  if (!text.starts_with(kPointer)) return std::optional<std::string>();
  return std::optional(std::move(text));
}

// ", which stands for 438955872 bytes"
std::string MeantBytes(const std::string& pointer) {
  const size_t at = pointer.find(kSize);
  if (at == std::string::npos) return "";
  uint64_t bytes = 0;
  const char* begin = pointer.data() + at + kSize.size();
  const auto [end, error] = std::from_chars(begin, pointer.data() + pointer.size(), bytes);
  return error == std::errc() ? ", which stands for " + std::to_string(bytes) + " bytes" : "";
}

Status Unfinished(const ListedFile& file, const std::string& what, std::string next) {
  return Status(StatusCode::kFailedPrecondition, "'" + ShownName(file.name) + "' is " + what,
                std::move(next));
}

bool HasComplete(const FileTree& source, const ListedFile& file) {
  const std::string_view suffix = PartialSuffix(file.name);
  const std::string_view complete =
      std::string_view(file.name).substr(0, file.name.size() - suffix.size());
  return source.Find(complete) != nullptr;
}

}  // namespace

Status CheckFinished(const FileTree& source, const ListedFile& file) {
  if (!PartialSuffix(file.name).empty()) {
    return Unfinished(file, "part of a download that was not finished", GetAgain(source, file));
  }
  if (file.length == 0) {
    return Unfinished(file, "empty: a download that was not finished", GetAgain(source, file));
  }
  TRIMS_ASSIGN_OR_RETURN(const std::optional<std::string> pointer, PointerText(source, file));
  if (!pointer) return Status();
  return Unfinished(file, "a git-lfs pointer" + MeantBytes(*pointer) + ", and not the file itself",
                    PullAgain(source, file));
}

Status CheckNothingPartial(const FileTree& source) {
  for (const ListedFile& file : source.files()) {
    if (!PartialSuffix(file.name).empty() && !HasComplete(source, file)) {
      return CheckFinished(source, file);
    }
  }
  const bool single = source.files().size() == 1;
  return single ? CheckFinished(source, source.files()[0]) : Status();
}

std::string NoteUnfinished(const FileTree& source, const std::vector<size_t>& parts) {
  const std::unordered_set<size_t> model(parts.begin(), parts.end());
  std::vector<std::string> names;
  for (size_t i = 0; i < source.files().size(); ++i) {
    if (model.contains(i)) continue;
    const ListedFile& file = source.files()[i];
    const bool empty = file.length == 0;  // a folder may well hold empty files
    if (empty || CheckFinished(source, file).code() != StatusCode::kFailedPrecondition) continue;
    names.push_back(file.name);
  }
  return names.empty() ? "" : "not downloaded completely: " + ShownNames(names);
}

}  // namespace trims
