#include "load/image_files.h"

#include <filesystem>
#include <system_error>

#include "base/macros.h"
#include "source/file_bytes.h"
#include "source/remote_bytes.h"

namespace trims {

Result<std::unique_ptr<RandomAccess>> ImageFiles::Open(PieceOrigin origin,
                                                       const std::string& path) {
  if (origin == PieceOrigin::kPrepared && missing_.contains(path)) return OpenRemote(path);
  Result<std::unique_ptr<RandomAccess>> file =
      origin == PieceOrigin::kSource ? OpenInSource(path) : OpenPrepared(path);
  if (file.ok() || file.status().code() != StatusCode::kNotFound) return file;
  return Gone(origin, path, file.status());
}

Result<std::unique_ptr<RandomAccess>> ImageFiles::OpenInSource(const std::string& name) {
  if (source_ == nullptr) {
    TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri(image_.source));
    TRIMS_ASSIGN_OR_RETURN(source_, OpenSourceTree(uri));
  }
  return source_->Open(name);
}

Result<bool> ImageFiles::IsHere(const std::string& path) const {
  const Status found = OpenPrepared(path).status();
  if (found.code() == StatusCode::kNotFound) return false;
  TRIMS_RETURN_IF_ERROR(found);
  return true;
}

Status ImageFiles::FetchMissing(const RemoteStoreOptions& network) {
  if (!image_.variant.remote) return Status();
  std::set<std::string> missing;
  for (const auto& [path, length] : image_.variant.FileLengths()) {
    TRIMS_ASSIGN_OR_RETURN(const bool here, IsHere(path));
    if (!here) missing.insert(path);
  }
  if (missing.empty()) return Status();
  TRIMS_ASSIGN_OR_RETURN(const SourceUri uri, ParseSourceUri(image_.variant.remote->source));
  TRIMS_ASSIGN_OR_RETURN(remote_, RemoteTree::Open(uri, network));
  missing_ = std::move(missing);
  return Status();
}

Result<std::unique_ptr<RandomAccess>> ImageFiles::OpenRemote(const std::string& path) const {
  TRIMS_ASSIGN_OR_RETURN(std::unique_ptr<RemoteBytes> file,
                         RemoteBytes::Open(remote_, image_.variant.remote->folder + "/" + path));
  return std::unique_ptr<RandomAccess>(std::move(file));
}

Result<std::unique_ptr<RandomAccess>> ImageFiles::OpenPrepared(const std::string& path) const {
  TRIMS_ASSIGN_OR_RETURN(FileBytes file,
                         FileBytes::OpenBeneath(prepared_root_, PreparedPath(path)));
  return std::unique_ptr<RandomAccess>(std::make_unique<FileBytes>(std::move(file)));
}

std::string ImageFiles::PathOf(PieceOrigin origin, const std::string& path) const {
  if (origin == PieceOrigin::kPrepared && missing_.contains(path)) {
    return image_.variant.remote->folder + "/" + path + " of " + image_.variant.remote->source;
  }
  if (origin == PieceOrigin::kPrepared) return prepared_root_ + "/" + PreparedPath(path);
  const Result<SourceUri> uri = ParseSourceUri(image_.source);
  if (!uri.ok() || uri->is_remote()) return path + " of " + image_.source;
  // Of a single file, what it needs besides lies beside it.
  std::error_code error;
  const std::filesystem::path source(uri->path);
  const bool folder = std::filesystem::is_directory(source, error);
  const bool itself = !folder && source.filename() == path;
  return ((folder || (!itself && !source.has_extension()) ? source : source.parent_path()) / path)
      .string();
}

// The same code as an unknown model's, so the text has to tell them apart.
Status ImageFiles::Gone(PieceOrigin origin, const std::string& path, const Status& why) const {
  const std::string whose = origin == PieceOrigin::kSource ? "source files" : "prepared files";
  return Status(why.code(),
                "the " + whose + " of model '" + image_.reference +
                    "' are not where they were: " + why.message(),
                "put '" + PathOf(origin, path) + "' back, or trims rm the model and add it again");
}

}  // namespace trims
