// RemoteTree: the files of a folder on a network, by name: a prefix, a repository, or the folder in which
// the one file lies that its URI names.
//
//   TRIMS_ASSIGN_OR_RETURN(const auto tree, RemoteTree::Open(uri, {}));
//   TRIMS_ASSIGN_OR_RETURN(const RemoteFile file, tree->Find("ort-12/extent"));
//   TRIMS_ASSIGN_OR_RETURN(const RemoteRequest request, tree->store().RequestFor(file));
//
// Every call may wait for a network. Thread-safety: one thread at a time; its store as RemoteStore says.
#ifndef TRIMS_SOURCE_REMOTE_TREE_H_
#define TRIMS_SOURCE_REMOTE_TREE_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "source/open_remote_store.h"
#include "source/remote_store.h"
#include "source/source_uri.h"

namespace trims {

class RemoteTree {
 public:
  // Lists what the URI names. Errors as OpenRemoteStore's and RemoteStore::List's.
  static Result<std::unique_ptr<RemoteTree>> Open(const SourceUri& uri,
                                                  const RemoteStoreOptions& options);
  RemoteTree(const RemoteTree&) = delete;
  RemoteTree& operator=(const RemoteTree&) = delete;

  // By name: all of a folder, or the one file that the URI names.
  const std::vector<RemoteFile>& listed() const { return listed_; }
  bool names_one_file() const { return one_file_; }
  bool Lists(std::string_view name) const;

  // The file of that name in the folder. Where the URI names one file, the others are asked for one by
  // one. NOT_FOUND; errors as RemoteStore::List's.
  Result<RemoteFile> Find(const std::string& name) const;

  RemoteStore& store() const { return opened_->store(); }
  const RemoteStoreOptions& options() const { return options_; }

 private:
  RemoteTree(SourceUri uri, RemoteStoreOptions options)
      : uri_(std::move(uri)), options_(std::move(options)) {}
  const RemoteFile* Listed(std::string_view name) const;
  Result<RemoteFile> Beside(const std::string& name) const;

  const SourceUri uri_;
  const RemoteStoreOptions options_;
  std::unique_ptr<OpenedStore> opened_;
  std::vector<RemoteFile> listed_;
  mutable std::map<std::string, RemoteFile> beside_;  // of these, what was asked for already
  bool one_file_ = false;
};

}  // namespace trims

#endif  // TRIMS_SOURCE_REMOTE_TREE_H_
