#include "source/remote_store.h"

#include <algorithm>

#include "base/model_limits.h"
#include "base/plain_path.h"
#include "base/shown_name.h"

namespace trims {
namespace {

Status BadListing(const std::string& where, const std::string& what, const std::string& hint) {
  return Status(StatusCode::kInvalidArgument, "'" + where + "' " + what, hint);
}

// A name as a file and as a folder of other names: nobody could download both.
bool IsFolderOf(const RemoteFile& file, const RemoteFile& other) {
  return other.name.size() > file.name.size() && other.name.starts_with(file.name) &&
         other.name[file.name.size()] == '/';
}

}  // namespace

Status CheckListing(std::vector<RemoteFile>* files, const std::string& where) {
  if (files->size() > kMaxModelFiles) {
    return BadListing(where, "holds more than " + std::to_string(kMaxModelFiles) + " files",
                      "name the model's own folder, or its file");
  }
  std::ranges::sort(*files, {}, &RemoteFile::name);
  uint64_t bytes = 0;
  for (size_t i = 0; i < files->size(); ++i) {
    const RemoteFile& file = (*files)[i];
    if (!IsPlainPath(file.name)) {
      return BadListing(
          where, "holds the file '" + ShownName(file.name) + "', whose name can't be written down",
          "name the model's own folder, or its file");
    }
    const bool clash =
        i > 0 && ((*files)[i - 1].name == file.name || IsFolderOf((*files)[i - 1], file));
    if (clash) {
      return BadListing(where, "holds '" + ShownName((*files)[i - 1].name) + "' twice",
                        "remove one of them");
    }
    if (file.length > kMaxModelBytes - bytes) {
      return BadListing(where, "is larger than " + std::to_string(kMaxModelBytes) + " bytes",
                        "name the model's own folder, or its file");
    }
    bytes += file.length;
  }
  if (bytes > 0) return Status();
  return BadListing(where, "holds no bytes: expected a model's file, or several",
                    "look what is there");
}

}  // namespace trims
