// FileTree: a source on this machine, a regular file or a folder.
//
// Before List(), Open() takes any file beneath the folder; links are followed as long as they stay
// in it. After it, only what was listed is opened, and only as long as it stays what it was, so that
// a preparation can never mix two states of a source; CheckUnchanged() at the end says so for all of
// it. List() follows symbolic links to regular files of the same folder and refuses others.
//
//   TRIMS_ASSIGN_OR_RETURN(FileTree tree, FileTree::At("/models/ocr"));
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

#include "source/source_tree.h"

namespace trims {

// A file as the listing saw it.
struct ListedFile : SourceEntry {
  std::string path;  // absolute, without symbolic links
};

class FileTree final : public SourceTree {
 public:
  // `path` is absolute. NOT_FOUND, PERMISSION_DENIED; INVALID_ARGUMENT: neither file nor folder.
  static Result<FileTree> At(const std::string& path);

  // INVALID_ARGUMENT also: a link that leaves the folder, no files or only empty ones.
  Result<std::vector<SourceEntry>> List() override;
  Result<std::unique_ptr<RandomAccess>> Open(const std::string& name) const override;

  bool is_folder() const { return is_folder_; }
  // After List():
  const std::string& root() const { return root_; }  // absolute, without symbolic links
  const std::vector<ListedFile>& files() const { return files_; }  // by name
  const ListedFile* Find(std::string_view name) const;
  // FAILED_PRECONDITION: a file changed or vanished.
  Status CheckUnchanged() const;

 private:
  FileTree(std::string path, bool is_folder);
  Result<std::vector<ListedFile>> ListFiles() const;

  std::string root_;
  std::string name_;  // of the file, if it is one: as it was asked for, since that tells the format
  bool is_folder_ = false;
  std::vector<ListedFile> files_;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_FILE_TREE_H_
