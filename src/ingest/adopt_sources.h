// AdoptSources: what a prepared model reads of the files that were downloaded for it becomes a part of
// what was prepared: each file gets a second name in the variant's folder, without a copy, and the
// download may go.
//
//   TRIMS_RETURN_IF_ERROR(AdoptSources(download_folder, incoming, &manifest));
//   manifest.variants[0].extents[0].pieces[0].origin;  // PieceOrigin::kPrepared
//
// Blocks. Thread-safety: safe, for distinct folders.
#ifndef TRIMS_INGEST_ADOPT_SOURCES_H_
#define TRIMS_INGEST_ADOPT_SOURCES_H_

#include <string>

#include "trims/status.h"

#include "format/manifest.h"

namespace trims {

// `incoming` was filled by the sandbox, which met untrusted bytes: its folders are opened without
// following links, and the names that the manifest gives only lead to what lies in `download`. Both
// lie in one file system. INVALID_ARGUMENT: a variant's folder is none; NOT_FOUND: there is no such
// file in the download; RESOURCE_EXHAUSTED: no space.
Status AdoptSources(const std::string& download, const std::string& incoming, Manifest* manifest);

// Of one piece of a source: that it lies in the variant's folder, under the name that such files get.
void Adopt(ManifestPiece* piece);

}  // namespace trims

#endif  // TRIMS_INGEST_ADOPT_SOURCES_H_
