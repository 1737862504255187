// What PreparedStore does on the disk. What takes a path blocks: it runs on the store's worker.
//
// A folder is called ".incoming-XXXXXX" while it is filled, and
// "<16 digits of the digest>-<kind>-<n>" once it is complete.
//
// Thread-safety: safe, for distinct folders.
#ifndef TRIMS_STORE_PREPARED_FOLDERS_H_
#define TRIMS_STORE_PREPARED_FOLDERS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "trims/model.h"
#include "trims/status.h"

namespace trims::prepared {

// Of a complete folder; "<16 digits>-<n>", which an earlier release used, is one too.
bool IsPublishedName(std::string_view name);
// The name but for "-<n>".
std::string Stem(std::string_view digest, Variant kind);

// A fresh folder in `root`, which is made too (mode 0700) if it isn't there.
Result<std::string> MakeIncoming(const std::string& root);

// Everything in `folder`, and itself; it is no symbolic link.
Status SyncTree(const std::string& folder);
// The names in `folder`.
Status SyncFolder(const std::string& folder);

// Renames `folder` to a free name `<root>/<stem>-<n>`; returns the name without the root.
Result<std::string> Rename(const std::string& folder, const std::string& root,
                           const std::string& stem);

// Of the regular files in it.
Result<uint64_t> BytesOf(const std::string& folder);

// With all that is in it, without following links. No error if it isn't there.
Status Remove(const std::string& folder);

// How many folders in `root` bear the name of a published one; none if there is no `root`.
Result<size_t> CountPublished(const std::string& root);

// Removes what is incoming or published in `root` and not in `keep`; leaves everything else alone.
// `keep` holds names, not paths, so that another spelling of `root` costs nobody a model.
void RemoveOrphans(const std::string& root, const std::set<std::string>& keep);

}  // namespace trims::prepared

#endif  // TRIMS_STORE_PREPARED_FOLDERS_H_
