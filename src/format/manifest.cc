#include "format/manifest.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/sha256.h"
#include "format/json_node.h"
#include "format/relative_path.h"
#include "wire/protocol.h"

namespace trims {
namespace {

using nlohmann::json;

// A bump makes every prepared model on disk unreadable until it is added again.
constexpr uint64_t kManifestVersion = 1;

// No field may reach a value with which sums of a whole manifest could overflow.
constexpr uint64_t kMaxBytes = uint64_t{1} << 46;
constexpr uint64_t kMaxIndexBytes = uint64_t{1} << 30;
constexpr size_t kMaxFiles = 100'000;
constexpr size_t kMaxPieces = 200'000;
constexpr size_t kMaxVariants = 16;
constexpr size_t kMaxNotes = 1000;
constexpr size_t kMaxKeyBytes = 256;
constexpr size_t kMaxNoteBytes = 4096;

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

Result<std::string> MemberPath(const JsonNode& node, std::string_view key, bool may_be_absolute) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(key));
  TRIMS_ASSIGN_OR_RETURN(std::string path, member.String(wire::kMaxPathBytes));
  std::string_view relative = path;
  if (may_be_absolute && relative.starts_with('/')) relative.remove_prefix(1);
  if (!IsPlainRelativePath(relative)) {
    return member.Wrong("a path without empty, '.' or '..' parts", "'" + path + "'");
  }
  return path;
}

Result<ManifestFile> ParseFile(const JsonNode& node) {
  ManifestFile file;
  TRIMS_ASSIGN_OR_RETURN(file.name, MemberPath(node, "name", /*may_be_absolute=*/false));
  TRIMS_ASSIGN_OR_RETURN(file.length, MemberInteger(node, "length", 0, kMaxBytes));
  TRIMS_ASSIGN_OR_RETURN(file.sha256, MemberDigest(node, "sha256"));
  return file;
}

// `end` is where the piece before it ended in the extent.
Result<ManifestPiece> ParsePiece(const JsonNode& node, uint64_t end, uint64_t extent_length) {
  ManifestPiece piece;
  TRIMS_ASSIGN_OR_RETURN(piece.path, MemberPath(node, "path", /*may_be_absolute=*/true));
  TRIMS_ASSIGN_OR_RETURN(piece.offset, MemberInteger(node, "offset", 0, kMaxBytes));
  TRIMS_ASSIGN_OR_RETURN(piece.at, MemberInteger(node, "at", end, extent_length));
  TRIMS_ASSIGN_OR_RETURN(piece.length, MemberInteger(node, "length", 1, extent_length - piece.at));
  return piece;
}

Result<ManifestExtent> ParseExtent(const JsonNode& node) {
  ManifestExtent extent;
  TRIMS_ASSIGN_OR_RETURN(extent.length, MemberInteger(node, "length", 1, kMaxBytes));
  TRIMS_ASSIGN_OR_RETURN(extent.sha256, MemberDigest(node, "sha256"));
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

Result<ManifestVariant> ParseVariant(const JsonNode& node) {
  ManifestVariant variant;
  TRIMS_ASSIGN_OR_RETURN(variant.kind, ParseKind(node));
  TRIMS_ASSIGN_OR_RETURN(variant.key, MemberString(node, "key", kMaxKeyBytes));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode index, node.Member("index"));
  TRIMS_ASSIGN_OR_RETURN(variant.index_path, MemberPath(index, "path", /*may_be_absolute=*/false));
  TRIMS_ASSIGN_OR_RETURN(variant.index_length, MemberInteger(index, "length", 1, kMaxIndexBytes));
  TRIMS_ASSIGN_OR_RETURN(variant.index_sha256, MemberDigest(index, "sha256"));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode extents, node.Member("extents"));
  TRIMS_ASSIGN_OR_RETURN(variant.extents, ParseExtents(extents));
  return variant;
}

Status ParseFiles(const JsonNode& node, std::vector<ManifestFile>* files) {
  return node.ForEach(kMaxFiles, [&](const JsonNode& element) -> Status {
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
  return node.ForEach(kMaxVariants, [&](const JsonNode& element) -> Status {
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
  return node.ForEach(kMaxNotes, [&](const JsonNode& element) -> Status {
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

json PieceToJson(const ManifestPiece& piece) {
  return {
      {"path", piece.path}, {"offset", piece.offset}, {"length", piece.length}, {"at", piece.at}};
}

json ExtentToJson(const ManifestExtent& extent) {
  json pieces = json::array();
  for (const ManifestPiece& piece : extent.pieces) pieces.push_back(PieceToJson(piece));
  return {{"length", extent.length}, {"sha256", extent.sha256}, {"pieces", std::move(pieces)}};
}

json VariantToJson(const ManifestVariant& variant) {
  json extents = json::array();
  for (const ManifestExtent& extent : variant.extents) extents.push_back(ExtentToJson(extent));
  return {{"kind", VariantName(variant.kind)},
          {"key", variant.key},
          {"index",
           {{"path", variant.index_path},
            {"length", variant.index_length},
            {"sha256", variant.index_sha256}}},
          {"extents", std::move(extents)}};
}

}  // namespace

uint64_t ManifestVariant::FootprintBytes() const {
  uint64_t total = AlignUp(index_length, kPageSize);
  for (const ManifestExtent& extent : extents) total += AlignUp(extent.length, kPageSize);
  return total;
}

uint64_t Manifest::SourceBytes() const {
  uint64_t total = 0;
  for (const ManifestFile& file : files) total += file.length;
  return total;
}

std::string ModelDigest(const std::vector<ManifestFile>& files) {
  if (files.size() == 1) return files.front().sha256;
  std::vector<const ManifestFile*> sorted;
  for (const ManifestFile& file : files) sorted.push_back(&file);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  Sha256 hash;
  for (const ManifestFile* file : sorted) hash.Update(file->sha256 + "  " + file->name + "\n");
  return hash.FinishHex();
}

std::string ManifestToJson(const Manifest& manifest) {
  json files = json::array();
  for (const ManifestFile& file : manifest.files) {
    files.push_back({{"name", file.name}, {"length", file.length}, {"sha256", file.sha256}});
  }
  json variants = json::array();
  for (const ManifestVariant& variant : manifest.variants)
    variants.push_back(VariantToJson(variant));
  const json document = {{"version", kManifestVersion}, {"digest", manifest.digest},
                         {"format", manifest.format},   {"source", manifest.source},
                         {"files", std::move(files)},   {"variants", std::move(variants)},
                         {"sandbox", manifest.sandbox}, {"notes", manifest.notes}};
  // Bytes that are no UTF-8 are replaced, since an exception is the only other choice; the preparer
  // lets no such name in.
  return document.dump(2, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

Result<Manifest> ParseManifest(std::string_view text) {
  TRIMS_ASSIGN_OR_RETURN(const json document, ParseJson(text, JsonLimits{}));
  const JsonNode root(document);
  TRIMS_ASSIGN_OR_RETURN([[maybe_unused]] const uint64_t version,
                         MemberInteger(root, "version", kManifestVersion, kManifestVersion));
  Manifest manifest;
  TRIMS_ASSIGN_OR_RETURN(manifest.digest, MemberDigest(root, "digest"));
  TRIMS_ASSIGN_OR_RETURN(manifest.format, MemberString(root, "format", 64));
  TRIMS_ASSIGN_OR_RETURN(manifest.source, MemberString(root, "source", wire::kMaxSourceBytes));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode files, root.Member("files"));
  TRIMS_RETURN_IF_ERROR(ParseFiles(files, &manifest.files));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode variants, root.Member("variants"));
  TRIMS_RETURN_IF_ERROR(ParseVariants(variants, &manifest.variants));
  TRIMS_ASSIGN_OR_RETURN(manifest.sandbox, MemberPrintable(root, "sandbox"));
  TRIMS_ASSIGN_OR_RETURN(const JsonNode notes, root.Member("notes"));
  TRIMS_RETURN_IF_ERROR(ParseNotes(notes, &manifest.notes));
  TRIMS_RETURN_IF_ERROR(CheckDigest(root, manifest));
  return manifest;
}

}  // namespace trims
