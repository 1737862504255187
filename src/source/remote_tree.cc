#include "source/remote_tree.h"

#include <algorithm>

#include "base/macros.h"
#include "base/plain_path.h"
#include "source/percent.h"

namespace trims {
namespace {

bool IsUrl(const SourceUri& uri) {
  return uri.scheme == SourceUri::Scheme::kHttp || uri.scheme == SourceUri::Scheme::kHttps;
}

// Whether the source is one file, and not a folder that happens to have one.
bool NamesOneFile(const SourceUri& uri, const std::vector<RemoteFile>& listed) {
  if (listed.size() != 1) return false;
  if (IsUrl(uri)) return true;
  switch (uri.scheme) {
    case SourceUri::Scheme::kS3:
      return !uri.path.empty() && !uri.path.ends_with('/');
    case SourceUri::Scheme::kHf:
      return uri.path.ends_with(listed.front().name);
    default:
      return false;
  }
}

}  // namespace

Result<std::unique_ptr<RemoteTree>> RemoteTree::Open(const SourceUri& uri,
                                                     const RemoteStoreOptions& options) {
  std::unique_ptr<RemoteTree> tree(new RemoteTree(uri, options));
  TRIMS_ASSIGN_OR_RETURN(tree->opened_, OpenRemoteStore(uri, options));
  TRIMS_ASSIGN_OR_RETURN(tree->listed_, tree->store().List());
  tree->one_file_ = NamesOneFile(uri, tree->listed_);
  return tree;
}

const RemoteFile* RemoteTree::Listed(std::string_view name) const {
  const auto found =
      std::lower_bound(listed_.begin(), listed_.end(), name,
                       [](const RemoteFile& file, std::string_view it) { return file.name < it; });
  return found != listed_.end() && found->name == name ? &*found : nullptr;
}

bool RemoteTree::Lists(std::string_view name) const { return Listed(name) != nullptr; }

Result<RemoteFile> RemoteTree::Find(const std::string& name) const {
  if (const RemoteFile* file = Listed(name)) return *file;
  if (one_file_) return Beside(name);
  return Status(StatusCode::kNotFound, "there is no '" + name + "' in " + uri_.ToString());
}

// A web server lists nothing.
Result<RemoteFile> RemoteTree::Beside(const std::string& name) const {
  if (const auto asked = beside_.find(name); asked != beside_.end()) return asked->second;
  SourceUri uri = uri_;
  uri.path = std::string(FolderOfPath(uri.path)) + (IsUrl(uri) ? PercentEncode(name) : name);
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<OpenedStore> opened, OpenRemoteStore(uri, options_));
  TRIMS_ASSIGN_OR_RETURN(std::vector<RemoteFile> found, opened->store().List());
  found.front().name = name;
  return beside_.emplace(name, std::move(found.front())).first->second;
}

}  // namespace trims
