// LinkBounds: how far the symbolic links of a source may lead.
//
// A folder's links may lead to what lies in the folder, since a folder that was downloaded may hold a
// link to a secret. Two things are wider: a snapshot in a hub's cache, whose files are links to the
// blobs of the same repository (models--ORG--NAME/snapshots/REVISION/… → ../../blobs/DIGEST), and a
// source whose user said that links may be followed.
//
//   const LinkBounds bounds = LinkBounds::Of("/hub/models--a--b/snapshots/1f", false);
//   bounds.Allow("/hub/models--a--b/blobs/77");  // true
//
// Source of the layout: huggingface_hub's documentation of its cache. Thread-safety: a value.
#ifndef TRIMS_SOURCE_LINK_BOUNDS_H_
#define TRIMS_SOURCE_LINK_BOUNDS_H_

#include <string>
#include <string_view>

namespace trims {

struct LinkBounds {
  // `folder`: absolute, without symbolic links.
  static LinkBounds Of(std::string_view folder, bool follow_links);

  // `target`: absolute, without symbolic links.
  bool Allow(std::string_view target) const;

  bool anywhere = false;
  std::string folder;  // links stay beneath it
};

// The repository's folder of a path in a hub's cache, models--ORG--NAME with all before it; empty where
// it is none.
std::string_view HubRepositoryOf(std::string_view path);

// "ORG/NAME" of such a folder.
std::string HubNameOf(std::string_view repository_folder);

}  // namespace trims

#endif  // TRIMS_SOURCE_LINK_BOUNDS_H_
