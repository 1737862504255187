// What PreparedStore does on the disk. What takes a path blocks: it runs on the store's worker.
//
// A folder is called ".incoming-" and six letters while it is filled, and by its content once it is
// complete: "<kind>-<32 digits>", of a digest of all that the manifest says of the variant. What is
// downloaded lies in ".download-<32 digits>", of a digest of where it comes from.
//
// Thread-safety: safe, for distinct folders.
#ifndef TRIMS_STORE_PREPARED_FOLDERS_H_
#define TRIMS_STORE_PREPARED_FOLDERS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "format/manifest.h"

namespace trims::prepared {

inline constexpr int kDownloadDays = 7;
// Of files in a published folder that are still being written.
inline constexpr std::string_view kUnfinishedPrefix = ".unfinished-";
// Of those, the one that says how far the others are: where it is, the next load goes on with them.
inline constexpr std::string_view kUnfinishedJournal = ".unfinished-journal";

bool IsPublishedName(std::string_view name);
// Of a variant whose extents have their digests. Equal content has an equal name; the variant's own
// folder counts for nothing.
std::string ContentName(const ManifestVariant& variant);

// A fresh folder in `root`, which is made too (mode 0700) if it isn't there.
Result<std::string> MakeIncoming(const std::string& root);

// The name of the folder for what is downloaded from `url`.
std::string DownloadName(std::string_view url);
bool IsDownloadName(std::string_view name);
// That folder, `path`, in `root`, and its two, if they aren't there yet; its time says that somebody goes
// on with it.
Status MakeDownload(const std::string& root, const std::string& path);

// Everything in `folder`, and itself; it is no symbolic link.
Status SyncTree(const std::string& folder);
// The names in `folder`.
Status SyncFolder(const std::string& folder);

// Renames `folder` to `path`. If a folder is there already, the two change places: what is known to be
// good is the one that just came. A file system that can't do that keeps the older.
Status PutInPlace(const std::string& folder, const std::string& path);

// Renames `folder` to `path`, unless a folder is there already: that stays.
Status PutBeside(const std::string& folder, const std::string& path);

// Of the regular files in it.
Result<uint64_t> BytesOf(const std::string& folder);

// With all that is in it, without following links. No error if it isn't there.
Status Remove(const std::string& folder);

// The files in it but `keep`, a path in it. Nothing depends on that they are gone.
Status RemoveFiles(const std::string& folder, const std::string& keep);

// How many folders in `root` bear the name of a published one; none if there is no `root`.
Result<size_t> CountPublished(const std::string& root);

// Removes what is incoming or published in `root` and not in `keep`; leaves everything else alone.
// `keep` holds names, not paths, so that another spelling of `root` costs nobody a model.
void RemoveOrphans(const std::string& root, const std::set<std::string>& keep);

}  // namespace trims::prepared

#endif  // TRIMS_STORE_PREPARED_FOLDERS_H_
