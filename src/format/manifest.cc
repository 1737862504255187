#include "format/manifest.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/model_limits.h"
#include "base/plain_path.h"
#include "base/sha256.h"
#include "format/chunk_digests.h"
#include "format/json_node.h"
#include "format/manifest_runs.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using nlohmann::json;

// A bump makes every prepared model on disk unreadable until it is added again.
constexpr uint64_t kManifestVersion = 3;
// Of manifests in which a variant is put together: a release that knows the other one alone would take its own extents
// for all of it.
constexpr uint64_t kManifestVersionWithRuns = 4;

constexpr size_t kMaxPieces = 200'000;
constexpr size_t kMaxKeyBytes = 256;
constexpr size_t kMaxNoteBytes = 4096;

std::string_view OriginName(PieceOrigin origin) {
  return origin == PieceOrigin::kSource ? "source" : "prepared";
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
}

Result<std::string> MemberString(const JsonNode& node, std::string_view key, size_t max_bytes) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(key));
  TRIMS_ASSIGN_OR_RETURN(std::string text, member.String(max_bytes));
  if (!IsPrintable(text)) return member.Wrong("printable text", "a control character");
  return text;
}

Result<uint64_t> MemberInteger(const JsonNode& node, std::string_view key, uint64_t min,
                               uint64_t max) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(key));
  return member.Integer(min, max);
}

Result<std::string> MemberDigest(const JsonNode& node, std::string_view key) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(key));
  TRIMS_ASSIGN_OR_RETURN(std::string digest, member.String(64));
  if (!IsSha256Hex(digest)) return member.Wrong("64 lower-case hexadecimal digits", "other text");
  return digest;
}

Result<std::string> MemberPath(const JsonNode& node, std::string_view key) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(key));
  TRIMS_ASSIGN_OR_RETURN(std::string path, member.String(kMaxPathBytes));
  if (IsPlainPath(path)) return path;
  return member.Wrong("a relative path without empty, '.' or '..' parts", "'" + path + "'");
}

Result<PieceOrigin> MemberOrigin(const JsonNode& node, std::string_view key) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(key));
  TRIMS_ASSIGN_OR_RETURN(const std::string name, member.String(32));
  for (const PieceOrigin origin : {PieceOrigin::kSource, PieceOrigin::kPrepared}) {
    if (name == OriginName(origin)) return origin;
  }
  return member.Wrong("source or prepared", "'" + name + "'");
}

Status CheckVersion(const JsonNode& root) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, root.Member("version"));
  TRIMS_ASSIGN_OR_RETURN(const uint64_t version, member.Integer(0, UINT32_MAX));
  if (version == kManifestVersion || version == kManifestVersionWithRuns) return Status();
  return Status(StatusCode::kInvalidArgument,
                "version: this release reads manifests of version " +
                    std::to_string(kManifestVersion) + ", came " + std::to_string(version),
                "install trims-prepare and trimsd of one release");
}

Result<ManifestFile> ParseFile(const JsonNode& node) {
  ManifestFile file;
  TRIMS_ASSIGN_OR_RETURN(file.name, MemberPath(node, "name"));
  TRIMS_ASSIGN_OR_RETURN(file.length, MemberInteger(node, "length", 0, kMaxModelBytes));
  TRIMS_ASSIGN_OR_RETURN(file.sha256, MemberDigest(node, "sha256"));
  return file;
}

Result<std::vector<uint64_t>> MemberChunkSums(const JsonNode& node, uint64_t extent_length) {
  const size_t digits = 16 * ChunkCount(extent_length);
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member("xxh3"));
  TRIMS_ASSIGN_OR_RETURN(const std::string text, member.String(digits));
  Result<std::vector<uint64_t>> sums = ChunkSumsFromHex(text);
  if (sums.ok() && text.size() == digits) return sums;
  return member.Wrong(std::to_string(digits) + " lower-case hexadecimal digits",
                      std::to_string(text.size()) + " characters");
}

Result<std::vector<Sha256::Digest>> MemberBlocks(const JsonNode& node, uint64_t extent_length) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member("blocks"));
  TRIMS_ASSIGN_OR_RETURN(const std::string text,
                         member.String(64 * (extent_length / kShareBlockBytes)));
  Result<std::vector<Sha256::Digest>> blocks = BlockDigestsFromHex(text);
  if (blocks.ok()) return blocks;
  return member.Wrong("64 lower-case hexadecimal digits for each block", "other text");
}

// `end` is where the piece before it ended in the extent.
Result<ManifestPiece> ParsePiece(const JsonNode& node, uint64_t end, uint64_t extent_length) {
  ManifestPiece piece;
  TRIMS_ASSIGN_OR_RETURN(piece.origin, MemberOrigin(node, "origin"));
  TRIMS_ASSIGN_OR_RETURN(piece.path, MemberPath(node, "path"));
  TRIMS_ASSIGN_OR_RETURN(piece.offset, MemberInteger(node, "offset", 0, kMaxModelBytes));
  TRIMS_ASSIGN_OR_RETURN(piece.at, MemberInteger(node, "at", end, extent_length));
  TRIMS_ASSIGN_OR_RETURN(piece.length, MemberInteger(node, "length", 1, extent_length - piece.at));
  return piece;
}

Result<ManifestExtent> ParseExtent(const JsonNode& node) {
  ManifestExtent extent;
  TRIMS_ASSIGN_OR_RETURN(extent.length, MemberInteger(node, "length", 1, kMaxModelBytes));
  if (node.Member("sha256").ok()) {
    TRIMS_ASSIGN_OR_RETURN(extent.sha256, MemberDigest(node, "sha256"));
  }
  TRIMS_ASSIGN_OR_RETURN(extent.xxh3, MemberChunkSums(node, extent.length));
  if (node.Member("blocks").ok()) {
    TRIMS_ASSIGN_OR_RETURN(extent.blocks, MemberBlocks(node, extent.length));
  }
  TRIMS_ASSIGN_OR_RETURN(const JsonNode pieces, node.Member("pieces"));
  uint64_t end = 0;
  TRIMS_RETURN_IF_ERROR(pieces.ForEach(kMaxPieces, [&](const JsonNode& element) -> Status {
    TRIMS_ASSIGN_OR_RETURN(ManifestPiece piece, ParsePiece(element, end, extent.length));
    end = piece.at + piece.length;
    extent.pieces.push_back(std::move(piece));
    return Status();
  }));
  return extent;
}

Result<std::vector<ManifestExtent>> ParseExtents(const JsonNode& node) {
  TRIMS_ASSIGN_OR_RETURN(const size_t count, node.Size(wire::kMaxExtents));
  if (count == 0) return node.Wrong("at least one extent", "none");
  std::vector<ManifestExtent> extents;
  TRIMS_RETURN_IF_ERROR(node.ForEach(count, [&](const JsonNode& element) -> Status {
    TRIMS_ASSIGN_OR_RETURN(ManifestExtent extent, ParseExtent(element));
    extents.push_back(std::move(extent));
    return Status();
  }));
  return extents;
}

Result<Variant> ParseKind(const JsonNode& node) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member("kind"));
  TRIMS_ASSIGN_OR_RETURN(const std::string name, member.String(32));
  const Result<Variant> kind = VariantFromName(name);
  if (!kind.ok()) return member.Wrong("files, tensors or ort", "'" + name + "'");
  return kind;
}

Result<ManifestRemote> ParseRemote(const JsonNode& node) {
  ManifestRemote remote;
  TRIMS_ASSIGN_OR_RETURN(remote.source, MemberString(node, "source", kMaxSourceBytes));
  TRIMS_ASSIGN_OR_RETURN(remote.folder, MemberPath(node, "folder"));
  return remote;
}

Result<Granularity> MemberGranularity(const JsonNode& node) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member("granularity"));
  TRIMS_ASSIGN_OR_RETURN(const std::string name, member.String(32));
  const Result<Granularity> granularity = GranularityFromName(name);
  if (granularity.ok()) return granularity;
  return member.Wrong("model or block", "'" + name + "'");
}

// [part, extent, offset, length]
Result<ManifestRun> ParseRun(const JsonNode& node) {
  std::vector<uint64_t> numbers;
  TRIMS_RETURN_IF_ERROR(node.ForEach(4, [&](const JsonNode& element) -> Status {
    const uint64_t most = numbers.size() < 2 ? wire::kMaxExtents : kMaxModelBytes;
    TRIMS_ASSIGN_OR_RETURN(const uint64_t number, element.Integer(0, most));
    numbers.push_back(number);
    return Status();
  }));
  if (numbers.size() != 4) return node.Wrong("four numbers", std::to_string(numbers.size()));
  return ManifestRun{.part = static_cast<uint32_t>(numbers[0]),
                     .extent = static_cast<uint32_t>(numbers[1]),
                     .offset = numbers[2],
                     .length = numbers[3]};
}

Status ParseLengths(const JsonNode& node, std::vector<uint64_t>* lengths) {
  return node.ForEach(wire::kMaxExtents, [&](const JsonNode& element) -> Status {
    TRIMS_ASSIGN_OR_RETURN(const uint64_t length, element.Integer(1, kMaxModelBytes));
    lengths->push_back(length);
    return Status();
  });
}

Result<ManifestVariant> ParseVariant(const JsonNode& node);

// What is borrowed borrows nothing itself: that bounds how deep this goes.
Status ParseBorrowed(const JsonNode& node, std::vector<ManifestVariant>* borrowed) {
  return node.ForEach(kMaxBorrowed, [&](const JsonNode& element) -> Status {
    if (element.Member("runs").ok()) return element.Wrong("no runs in what is borrowed", "runs");
    TRIMS_ASSIGN_OR_RETURN(ManifestVariant variant, ParseVariant(element));
    borrowed->push_back(std::move(variant));
    return Status();
  });
}

Status ParseSharing(const JsonNode& node, ManifestVariant* variant) {
  if (!node.Member("granularity").ok()) return Status();
  TRIMS_ASSIGN_OR_RETURN(variant->granularity, MemberGranularity(node));
  if (const Result<JsonNode> lengths = node.Member("lengths"); lengths.ok()) {
    TRIMS_RETURN_IF_ERROR(ParseLengths(*lengths, &variant->lengths));
  }
  const Result<JsonNode> runs = node.Member("runs");
  if (!runs.ok()) return Status();
  TRIMS_RETURN_IF_ERROR(runs->ForEach(wire::kMaxRuns, [&](const JsonNode& element) -> Status {
    TRIMS_ASSIGN_OR_RETURN(const ManifestRun run, ParseRun(element));
    variant->runs.push_back(run);
    return Status();
  }));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode borrowed, node.Member("borrowed"));
  TRIMS_RETURN_IF_ERROR(ParseBorrowed(borrowed, &variant->borrowed));
  const Status sound = CheckRuns(*variant);
  return sound.ok() ? sound : runs->Wrong("runs that make its extents", sound.message());
}

Result<ManifestVariant> ParseVariant(const JsonNode& node) {
  ManifestVariant variant;
  TRIMS_ASSIGN_OR_RETURN(variant.kind, ParseKind(node));
  TRIMS_ASSIGN_OR_RETURN(variant.key, MemberString(node, "key", kMaxKeyBytes));
  TRIMS_ASSIGN_OR_RETURN(variant.folder, MemberPath(node, "folder"));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode index, node.Member("index"));
  TRIMS_ASSIGN_OR_RETURN(variant.index_path, MemberPath(index, "path"));
  TRIMS_ASSIGN_OR_RETURN(variant.index_length, MemberInteger(index, "length", 1, kMaxIndexBytes));
  TRIMS_ASSIGN_OR_RETURN(variant.index_sha256, MemberDigest(index, "sha256"));
  if (node.Member("precision").ok()) {
    TRIMS_ASSIGN_OR_RETURN(variant.precision,
                           MemberString(node, "precision", wire::kMaxPrecisionBytes));
  }
  TRIMS_ASSIGN_OR_RETURN(const JsonNode extents, node.Member("extents"));
  TRIMS_ASSIGN_OR_RETURN(variant.extents, ParseExtents(extents));
  if (const Result<JsonNode> remote = node.Member("remote"); remote.ok()) {
    TRIMS_ASSIGN_OR_RETURN(variant.remote, ParseRemote(*remote));
  }
  TRIMS_RETURN_IF_ERROR(ParseSharing(node, &variant));
  return variant;
}

Status ParseFiles(const JsonNode& node, std::vector<ManifestFile>* files) {
  return node.ForEach(kMaxModelFiles, [&](const JsonNode& element) -> Status {
    TRIMS_ASSIGN_OR_RETURN(ManifestFile file, ParseFile(element));
    if (!files->empty() && files->back().name >= file.name) {
      return element.Wrong("files in ascending order of their names",
                           "'" + file.name + "' after '" + files->back().name + "'");
    }
    files->push_back(std::move(file));
    return Status();
  });
}

Status ParseVariants(const JsonNode& node, std::vector<ManifestVariant>* variants) {
  std::set<std::pair<Variant, std::string>> seen;
  return node.ForEach(kMaxManifestVariants, [&](const JsonNode& element) -> Status {
    TRIMS_ASSIGN_OR_RETURN(ManifestVariant variant, ParseVariant(element));
    if (!seen.emplace(variant.kind, variant.key).second) {
      return element.Wrong("each kind and key once", std::string(VariantName(variant.kind)) +
                                                         " with key '" + variant.key + "' again");
    }
    variants->push_back(std::move(variant));
    return Status();
  });
}

Result<std::string> PrintableText(const JsonNode& node) {
  TRIMS_ASSIGN_OR_RETURN(std::string text, node.String(kMaxNoteBytes));
  if (!IsPrintable(text)) return node.Wrong("printable text", "a control character");
  return text;
}

Result<std::string> MemberPrintable(const JsonNode& node, std::string_view name) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(name));
  return PrintableText(member);
}

Status ParseNotes(const JsonNode& node, std::vector<std::string>* notes) {
  return node.ForEach(kMaxManifestNotes, [&](const JsonNode& element) -> Status {
    TRIMS_ASSIGN_OR_RETURN(std::string note, PrintableText(element));
    notes->push_back(std::move(note));
    return Status();
  });
}

Status CheckDigest(const JsonNode& root, const Manifest& manifest) {
  if (manifest.files.empty()) return root.Wrong("at least one file", "none");
  const std::string digest = ModelDigest(manifest.files);
  if (digest == manifest.digest) return Status();
  return root.Wrong("the digest " + digest + " that its files make", manifest.digest);
}

// What is read from the source is part of what was hashed there.
Status CheckSourcePiece(const JsonNode& root, const Manifest& manifest,
                        const ManifestPiece& piece) {
  const auto file =
      std::lower_bound(manifest.files.begin(), manifest.files.end(), piece.path,
                       [](const auto& one, const auto& name) { return one.name < name; });
  if (file == manifest.files.end() || file->name != piece.path) {
    return root.Wrong("source pieces of its files", "'" + piece.path + "'");
  }
  if (piece.offset <= file->length && piece.length <= file->length - piece.offset) return Status();
  return root.Wrong("source pieces within their files", std::to_string(piece.length) +
                                                            " bytes of '" + piece.path + "' from " +
                                                            std::to_string(piece.offset));
}

Status CheckSourcePieces(const JsonNode& root, const Manifest& manifest) {
  for (const ManifestVariant& variant : manifest.variants) {
    for (const ManifestExtent& extent : variant.extents) {
      for (const ManifestPiece& piece : extent.pieces) {
        if (piece.origin != PieceOrigin::kSource) continue;
        TRIMS_RETURN_IF_ERROR(CheckSourcePiece(root, manifest, piece));
      }
    }
  }
  return Status();
}

json PieceToJson(const ManifestPiece& piece) {
  return {{"origin", OriginName(piece.origin)},
          {"path", piece.path},
          {"offset", piece.offset},
          {"length", piece.length},
          {"at", piece.at}};
}

json ExtentToJson(const ManifestExtent& extent) {
  json pieces = json::array();
  for (const ManifestPiece& piece : extent.pieces) pieces.push_back(PieceToJson(piece));
  json document = {{"length", extent.length},
                   {"xxh3", ChunkSumsToHex(extent.xxh3)},
                   {"pieces", std::move(pieces)}};
  if (!extent.sha256.empty()) document["sha256"] = extent.sha256;
  if (!extent.blocks.empty()) document["blocks"] = BlockDigestsToHex(extent.blocks);
  return document;
}

json VariantToJson(const ManifestVariant& variant);

void AddSharing(const ManifestVariant& variant, json* document) {
  if (variant.granularity == Granularity::kModel) return;
  (*document)["granularity"] = GranularityName(variant.granularity);
  if (!variant.lengths.empty()) (*document)["lengths"] = variant.lengths;
  if (variant.runs.empty()) return;
  json runs = json::array();
  for (const ManifestRun& run : variant.runs) {
    runs.push_back(json::array({run.part, run.extent, run.offset, run.length}));
  }
  json borrowed = json::array();
  for (const ManifestVariant& part : variant.borrowed) borrowed.push_back(VariantToJson(part));
  (*document)["runs"] = std::move(runs);
  (*document)["borrowed"] = std::move(borrowed);
}

json VariantToJson(const ManifestVariant& variant) {
  json extents = json::array();
  for (const ManifestExtent& extent : variant.extents) extents.push_back(ExtentToJson(extent));
  json document = {{"kind", VariantName(variant.kind)},
                   {"key", variant.key},
                   {"folder", variant.folder},
                   {"index",
                    {{"path", variant.index_path},
                     {"length", variant.index_length},
                     {"sha256", variant.index_sha256}}},
                   {"extents", std::move(extents)}};
  if (!variant.precision.empty()) document["precision"] = variant.precision;
  if (variant.remote) {
    document["remote"] = {{"source", variant.remote->source}, {"folder", variant.remote->folder}};
  }
  AddSharing(variant, &document);
  return document;
}

uint64_t VersionOf(const Manifest& manifest) {
  const bool any = std::any_of(manifest.variants.begin(), manifest.variants.end(),
                               [](const auto& variant) { return !variant.runs.empty(); });
  return any ? kManifestVersionWithRuns : kManifestVersion;
}

}  // namespace

std::string ManifestToJson(const Manifest& manifest) {
  json files = json::array();
  for (const ManifestFile& file : manifest.files) {
    files.push_back({{"name", file.name}, {"length", file.length}, {"sha256", file.sha256}});
  }
  json variants = json::array();
  for (const ManifestVariant& variant : manifest.variants)
    variants.push_back(VariantToJson(variant));
  const json document = {{"version", VersionOf(manifest)}, {"digest", manifest.digest},
                         {"format", manifest.format},      {"source", manifest.source},
                         {"files", std::move(files)},      {"variants", std::move(variants)},
                         {"sandbox", manifest.sandbox},    {"notes", manifest.notes}};
  // Bytes that are no UTF-8 are replaced, since an exception is the only other choice; the preparer
  // lets no such name in.
  return document.dump(2, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

Result<Manifest> ParseManifest(std::string_view text) {
  TRIMS_ASSIGN_OR_RETURN(const json document, ParseJson(text, JsonLimits{}));
  const JsonNode root(document);
  TRIMS_RETURN_IF_ERROR(CheckVersion(root));
  Manifest manifest;
  TRIMS_ASSIGN_OR_RETURN(manifest.digest, MemberDigest(root, "digest"));
  TRIMS_ASSIGN_OR_RETURN(manifest.format, MemberString(root, "format", 64));
  TRIMS_ASSIGN_OR_RETURN(manifest.source, MemberString(root, "source", kMaxSourceBytes));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode files, root.Member("files"));
  TRIMS_RETURN_IF_ERROR(ParseFiles(files, &manifest.files));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode variants, root.Member("variants"));
  TRIMS_RETURN_IF_ERROR(ParseVariants(variants, &manifest.variants));
  TRIMS_ASSIGN_OR_RETURN(manifest.sandbox, MemberPrintable(root, "sandbox"));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode notes, root.Member("notes"));
  TRIMS_RETURN_IF_ERROR(ParseNotes(notes, &manifest.notes));
  TRIMS_RETURN_IF_ERROR(CheckDigest(root, manifest));
  TRIMS_RETURN_IF_ERROR(CheckSourcePieces(root, manifest));
  return manifest;
}

}  // namespace trims
