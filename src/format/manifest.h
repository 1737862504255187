// Manifest: what the preparer found out about a model and where its prepared variants lie. It is
// written by the preparer (which met untrusted bytes), so the daemon treats it as untrusted too:
// ParseManifest checks every bound.
//
// JSON on disk and in the catalog; docs/json.md gives the fields. Thread-safety: values.
#ifndef TRIMS_FORMAT_MANIFEST_H_
#define TRIMS_FORMAT_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trims/model.h"
#include "trims/status.h"

#include "base/granularity.h"
#include "base/sha256.h"

namespace trims {

// Where the file of a piece lies.
enum class PieceOrigin : uint8_t {
  kSource,    // in the model's source, under one of the names in Manifest::files
  kPrepared,  // in the variant's folder
};

// `length` bytes of the file `path` from `offset` on belong at `at` of the extent. Bytes no piece
// covers are zero. The path is relative to the origin; the only file of a source that is a file has
// its base name.
struct ManifestPiece {
  PieceOrigin origin = PieceOrigin::kPrepared;
  std::string path;
  uint64_t offset = 0;
  uint64_t length = 0;
  uint64_t at = 0;
};

// The digests are of the whole extent, gaps included (format/chunk_digests.h).
struct ManifestExtent {
  uint64_t length = 0;
  // Of the chunks' SHA-256: what the extent is known by. The daemon makes it when it publishes; in what
  // the preparer says it is empty.
  std::string sha256 = {};
  std::vector<uint64_t> xxh3 = {};    // of each chunk
  std::vector<ManifestPiece> pieces;  // ascending, not overlapping
  // Of its first whole blocks (kShareBlockBytes), by which others find them. The daemon's word, too; a stranger's counts for nothing.
  std::vector<Sha256::Digest> blocks = {};
};

// What an extent of `length` bytes costs a tier's budget: whole 4 KiB pages. A hugetlb extent takes
// whole huge pages, but out of a pool that the machine has set aside: its rounding is the pool's
// loss.
uint64_t ExtentFootprint(uint64_t length);

// Where a variant lies besides, byte for byte: in a folder of a pushed model. What of it isn't on this
// node's disk is fetched from there.
struct ManifestRemote {
  std::string source;  // the pushed model's URL
  std::string folder;  // in it: a name
};

// `length` bytes of a part's extent, from `offset` on. Part 0 is what the variant has itself, the others are those that it
// borrows, in their order.
struct ManifestRun {
  uint32_t part = 0;
  uint32_t extent = 0;
  uint64_t offset = 0;
  uint64_t length = 0;

  friend bool operator==(const ManifestRun&, const ManifestRun&) = default;
};

inline constexpr size_t kMaxBorrowed = 32;  // parts: a descriptor each, at least

struct ManifestVariant {
  Variant kind = Variant::kFiles;
  std::string key;  // what it is bound to, e.g. "ort-1.32.0;level=all;cpu=…"; empty for `files` and
                    // `tensors`
  // What was prepared for it lies in this folder: in the preparer's manifest relative to the out
  // folder, in the catalog to the folder of all prepared models.
  std::string folder;
  std::string index_path;  // in `folder`: the index (wire/index.fbs) as it will sit in memory
  uint64_t index_length = 0;
  std::string index_sha256;
  // That was asked for when it was made, which may decide whose files it is of; empty: none was.
  std::string precision = {};
  std::vector<ManifestExtent> extents;
  std::optional<ManifestRemote> remote = {};  // the daemon's word; a stranger's counts for nothing

  // What it shares with others (docs/residency.md, Granularity). All of it is the daemon's word.
  Granularity granularity = Granularity::kModel;
  // Of the extents that its index speaks of, where those are not `extents`.
  std::vector<uint64_t> lengths = {};
  // What those are put together of: one run after the other, none beyond the end of one. Empty: `extents` are they.
  std::vector<ManifestRun> runs = {};
  // Whose bytes the runs borrow: variants without runs of their own, all of whose bytes lie in the prepared store.
  std::vector<ManifestVariant> borrowed = {};

  // Of the extents of its range, as its index has them.
  std::vector<uint64_t> RangeLengths() const;

  uint64_t ExtentBytes() const;
  // Of the index and each file that pieces lie in, whatever their origin, how far it is read.
  std::map<std::string, uint64_t> FileLengths() const;
  // What it takes when resident: page-rounded extents and index.
  uint64_t FootprintBytes() const;
};

struct ManifestFile {
  std::string name;  // relative path, '/' between parts
  uint64_t length = 0;
  std::string sha256;
};

inline constexpr size_t kMaxManifestVariants = 16;
inline constexpr size_t kMaxManifestNotes = 1000;

struct Manifest {
  // A single file's SHA-256; for several, that of the lines "<sha256>  <name>\n" in the order of
  // their names.
  std::string digest;
  std::string format;  // "onnx", "safetensors", "gguf", "mxnet", "files"
  std::string source;  // a file:// URL
  std::vector<ManifestFile> files;
  std::vector<ManifestVariant> variants;
  std::string sandbox;             // for people: what confined the preparer; empty if unknown
  std::vector<std::string> notes;  // for people: why a variant was not made, what was found

  uint64_t SourceBytes() const;
};

std::string ManifestToJson(const Manifest& manifest);

// INVALID_ARGUMENT says which field is wrong, what was expected and what came, or that the version
// is another one than this release reads.
Result<Manifest> ParseManifest(std::string_view json);

// Of a manifest that the catalog keeps: FAILED_PRECONDITION if an extent has no digest.
Status CheckDigested(const Manifest& manifest);

std::string ModelDigest(const std::vector<ManifestFile>& files);

}  // namespace trims

#endif  // TRIMS_FORMAT_MANIFEST_H_
