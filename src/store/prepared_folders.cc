#include "store/prepared_folders.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/errno_status.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/make_folders.h"
#include "base/sha256.h"
#include "base/sys.h"

namespace trims::prepared {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIncomingPrefix = ".incoming-";
constexpr std::string_view kDownloadPrefix = ".download-";
constexpr size_t kNameDigits = 32;

Status SyncPath(const std::string& path, int flags) {
  const UniqueFd fd = sys::Open(path.c_str(), flags | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (!fd) return ErrnoStatus("can't open " + path);
  if (sys::Fsync(fd.get()) != 0) return ErrnoStatus("can't sync " + path);
  return {};
}

bool IsHexDigit(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Every part ends, so that no two variants have the same text.
std::string CanonicalText(const ManifestVariant& variant) {
  std::string text;
  const auto add = [&text](std::string_view part) {
    text.append(std::to_string(part.size())).append(":").append(part).append("\n");
  };
  const auto add_number = [&add](uint64_t number) { add(std::to_string(number)); };
  for (const std::string_view part :
       {std::string_view(variant.key), std::string_view(variant.precision),
        std::string_view(variant.index_path), std::string_view(variant.index_sha256)}) {
    add(part);
  }
  add_number(variant.index_length);
  for (const ManifestExtent& extent : variant.extents) {
    add_number(extent.length);
    add(extent.sha256);
    for (const uint64_t sum : extent.xxh3) add_number(sum);
    add_number(extent.pieces.size());
    for (const ManifestPiece& piece : extent.pieces) {
      add(piece.path);
      for (const uint64_t number :
           {static_cast<uint64_t>(piece.origin), piece.offset, piece.length, piece.at}) {
        add_number(number);
      }
    }
  }
  return text;
}

std::string DigestName(std::string_view prefix, std::string_view text) {
  Sha256 hash;
  hash.Update(text);
  return std::string(prefix) + hash.FinishHex().substr(0, kNameDigits);
}

bool IsHexName(std::string_view digits) {
  return digits.size() == kNameDigits && std::all_of(digits.begin(), digits.end(), IsHexDigit);
}

// Its name is made durable as well: without that, nothing in it would be.
Status MakeRoot(const std::string& root) {
  const Status made = MakeFolder(root);
  if (made.code() == StatusCode::kNotFound) {
    return Status(made.code(), made.message() + ": the daemon's data folder is gone",
                  "put it back, or start trimsd again, which makes it anew without models");
  }
  TRIMS_RETURN_IF_ERROR(made);
  return SyncName(root);
}

}  // namespace

bool IsPublishedName(std::string_view name) {
  const size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || !VariantFromName(name.substr(0, dash)).ok()) return false;
  return IsHexName(name.substr(dash + 1));
}

std::string ContentName(const ManifestVariant& variant) {
  return DigestName(std::string(VariantName(variant.kind)) + "-", CanonicalText(variant));
}

Status SyncTree(const std::string& folder) {
  TRIMS_RETURN_IF_ERROR(SyncFolder(folder));
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entries != end;
       entries.increment(error)) {
    const fs::file_status status = entries->symlink_status(error);
    if (error) break;
    if (fs::is_regular_file(status)) {
      TRIMS_RETURN_IF_ERROR(SyncPath(entries->path().string(), 0));
    } else if (fs::is_directory(status)) {
      TRIMS_RETURN_IF_ERROR(SyncPath(entries->path().string(), O_DIRECTORY));
    }
  }
  if (error) return ErrnoStatus("can't read folder " + folder, error.value());
  return {};
}

Result<std::string> MakeIncoming(const std::string& root) {
  TRIMS_RETURN_IF_ERROR(MakeRoot(root));
  std::string path = root + "/" + std::string(kIncomingPrefix) + "XXXXXX";
  if (sys::MakeTempFolder(path.data()) != 0) return ErrnoStatus("can't make a folder in " + root);
  return path;
}

std::string DownloadName(std::string_view url) { return DigestName(kDownloadPrefix, url); }

bool IsDownloadName(std::string_view name) {
  return name.starts_with(kDownloadPrefix) && IsHexName(name.substr(kDownloadPrefix.size()));
}

Status MakeDownload(const std::string& root, const std::string& path) {
  TRIMS_RETURN_IF_ERROR(MakeRoot(root));
  for (const std::string& folder : {path, path + "/files", path + "/partial"}) {
    TRIMS_RETURN_IF_ERROR(MakeFolder(folder));
  }
  std::error_code error;
  fs::last_write_time(path, fs::file_time_type::clock::now(), error);
  return error ? ErrnoStatus("can't touch " + path, error.value()) : Status();
}

Status SyncFolder(const std::string& folder) { return SyncPath(folder, O_DIRECTORY); }

Status PutInPlace(const std::string& folder, const std::string& path) {
  if (sys::RenameNoReplace(folder.c_str(), path.c_str()) == 0) return {};
  if (errno != EEXIST) return ErrnoStatus("can't rename " + folder + " to " + path);
  if (sys::RenameExchange(folder.c_str(), path.c_str()) == 0 || errno == EINVAL) return {};
  return ErrnoStatus("can't exchange " + folder + " for " + path);
}

Status PutBeside(const std::string& folder, const std::string& path) {
  if (sys::RenameNoReplace(folder.c_str(), path.c_str()) == 0 || errno == EEXIST) return {};
  return ErrnoStatus("can't rename " + folder + " to " + path);
}

Result<uint64_t> BytesOf(const std::string& folder) {
  std::error_code error;
  uint64_t bytes = 0;
  fs::recursive_directory_iterator entries(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entries != end;
       entries.increment(error)) {
    const bool is_file = fs::is_regular_file(entries->symlink_status(error));
    if (is_file && !error) bytes += entries->file_size(error);
    if (error) break;
  }
  if (error) return ErrnoStatus("can't measure folder " + folder, error.value());
  return bytes;
}

Status Remove(const std::string& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) return {};
  Status status = ErrnoStatus("can't remove " + folder, error.value());
  LogWarning("folder.remove_failed", {{"folder", folder}, {"error", status}});
  return status;
}

Status RemoveFiles(const std::string& folder, const std::string& keep) {
  std::error_code error;
  std::vector<std::string> files;
  fs::recursive_directory_iterator entries(folder, error);
  for (const fs::recursive_directory_iterator end; !error && entries != end;
       entries.increment(error)) {
    if (entries->is_directory(error)) continue;
    if (entries->path() != fs::path(folder) / keep) files.push_back(entries->path().string());
  }
  if (error) return ErrnoStatus("can't read folder " + folder, error.value());
  for (const std::string& file : files) {
    if (sys::Unlink(file.c_str()) != 0 && errno != ENOENT)
      return ErrnoStatus("can't remove " + file);
  }
  return Status();
}

Result<size_t> CountPublished(const std::string& root) {
  std::error_code error;
  size_t count = 0;
  fs::directory_iterator entries(root, error);
  if (error == std::errc::no_such_file_or_directory) return size_t{0};
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    if (IsPublishedName(entries->path().filename().string())) ++count;
  }
  if (error) return ErrnoStatus("can't read folder " + root, error.value());
  return count;
}

void RemoveOrphans(const std::string& root, const std::set<std::string>& keep) {
  std::error_code error;
  std::vector<std::string> orphans;
  fs::directory_iterator entries(root, error);
  for (const fs::directory_iterator end; !error && entries != end; entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    const bool ours = name.starts_with(kIncomingPrefix) || IsPublishedName(name);
    if (ours && !keep.contains(name)) orphans.push_back(root + "/" + name);
  }
  for (const std::string& orphan : orphans) {
    LogInfo("folder.orphan_removed", {{"folder", orphan}});
    Remove(orphan).ok();
  }
}

}  // namespace trims::prepared
