// FileTree: a source on this machine, a regular file or a folder.
//
// Before List(), Open() takes any file beneath the folder; links are followed as far as LinkBounds
// say. After it, only what was listed is opened, and only as long as it stays what it was, so that
// a preparation can never mix two states of a source; CheckUnchanged() at the end says so for all of
// it.
//
// A single file is there under its own name, even if it is a link to a file of another one: a name
// tells the format. What it needs besides (the external data of an ONNX model, the shards that an
// index names) are files of the same folder, and part of the source once they are included.
//
//   TRIMS_ASSIGN_OR_RETURN(FileTree tree, FileTree::At(SourceUri::OfPath("/models/ocr")));
//   TRIMS_RETURN_IF_ERROR(tree.List().status());
//   TRIMS_ASSIGN_OR_RETURN(const auto file, tree.Open(tree.files().front().name));
//   TRIMS_RETURN_IF_ERROR(tree.CheckUnchanged());
//
// Thread-safety: const members from any thread.
#ifndef TRIMS_SOURCE_FILE_TREE_H_
#define TRIMS_SOURCE_FILE_TREE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "source/folder_listing.h"
#include "source/link_bounds.h"
#include "source/source_tree.h"
#include "source/source_uri.h"

namespace trims {

class FileTree final : public SourceTree {
 public:
  // NOT_FOUND, PERMISSION_DENIED; INVALID_ARGUMENT: neither file nor folder.
  static Result<FileTree> At(const SourceUri& uri);

  // INVALID_ARGUMENT also: as ListFolder(); no files or only empty ones.
  Result<std::vector<SourceEntry>> List() override;
  Result<std::unique_ptr<RandomAccess>> Open(const std::string& name) const override;

  // After List(), of a single file: adds the file `name` of its folder. NOT_FOUND: there is none;
  // INVALID_ARGUMENT: as ListFile().
  Status Include(const std::string& name);

  // Of the source's own path, what uri() then says; List() does so, too. NOT_FOUND, PERMISSION_DENIED.
  Status Resolve();

  bool is_folder() const { return is_folder_; }
  // After Resolve() or List():
  SourceUri uri() const { return SourceUri::OfPath(path(), bounds_.anywhere); }
  // Absolute, and without symbolic links but for a single file's own.
  std::string path() const { return is_folder_ ? folder_ : folder_ + "/" + name_; }
  const std::string& folder() const { return folder_; }  // that names are in
  // After List():
  const std::vector<ListedFile>& files() const { return files_; }  // by name
  const ListedFile* Find(std::string_view name) const;
  // What has to be readable for Open() to work: paths of a folder and of files outside it.
  std::vector<std::string> Reach() const;
  // FAILED_PRECONDITION: a file changed or vanished.
  Status CheckUnchanged() const;

 private:
  FileTree(std::string folder, std::string name, bool follow_links);
  LinkBounds OwnBounds() const;  // of a single file

  std::string folder_;
  std::string name_;  // of the file, if it is one: as it was asked for, since that tells the format
  bool is_folder_ = false;
  LinkBounds bounds_;
  std::vector<ListedFile> files_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_FILE_TREE_H_
