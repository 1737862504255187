// The `files` variant: every file of the source, byte for byte, read once for all digests and not
// copied on disk.
//
// A file of 1 MiB and more, and a model's only file, is alone in an extent, so that its descriptor
// can stand for the file. The others share one extent at multiples of 4 KiB. Where that makes more
// extents than one message can carry, the smallest of the large ones share, too.
#ifndef TRIMS_PREPARE_FILES_VARIANT_H_
#define TRIMS_PREPARE_FILES_VARIANT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "format/manifest.h"
#include "prepare/prepare_context.h"

namespace trims {

inline constexpr uint64_t kFileAlignment = 4096;  // of a file in an extent that it shares

struct FilesPlan {
  std::vector<size_t> shared;  // files of the shared extent, in order of their names
  std::vector<size_t> alone;   // likewise; one extent each, after the shared one
};

// Pure. Files without bytes are in neither list.
FilesPlan PlanFiles(std::span<const uint64_t> lengths, size_t max_extents);

struct HashedFiles {
  std::vector<ManifestFile> files;  // by name, as in the source
  std::vector<ManifestExtent> extents;
  FilesPlan plan;
};

// As HashFiles, but nothing is read: digests and sums are zeros.
HashedFiles UndigestedFiles(const PrepareContext& context);

// Reads the whole source. CANCELLED: `stop` became true.
Result<HashedFiles> HashFiles(const PrepareContext& context,
                              const std::atomic<bool>* stop = nullptr);

Result<ManifestVariant> MakeFilesVariant(const PrepareContext& context, const HashedFiles& hashed,
                                         std::map<std::string, std::string> metadata);

}  // namespace trims

#endif  // TRIMS_PREPARE_FILES_VARIANT_H_
