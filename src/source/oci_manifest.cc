#include "source/oci_manifest.h"

#include <algorithm>
#include <utility>

#include "base/macros.h"
#include "base/model_limits.h"
#include "base/sha256.h"
#include "base/shown_name.h"
#include "format/json_node.h"

namespace trims {
namespace {

constexpr JsonLimits kManifestJson{.max_bytes = size_t{4} << 20, .max_depth = 16};
constexpr size_t kMaxLayers = 20'000;
constexpr size_t kMaxTypeBytes = 256;

struct Layer {
  std::string type;
  OciFile file;  // its name may be empty
  bool unpack = false;
};

Status BadManifest(const std::string& what,
                   const std::string& hint = "look what was pushed there") {
  return Status(StatusCode::kInvalidArgument, "the artifact's manifest: " + what, hint);
}

bool IsSha256Digest(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  return text.starts_with(kPrefix) && IsSha256Hex(text.substr(kPrefix.size()));
}

Result<std::string> Text(const JsonNode& node, std::string_view key, size_t max_bytes) {
  TRIMS_ASSIGN_OR_RETURN(const JsonNode member, node.Member(key));
  return member.String(max_bytes);
}

// Empty: there is none.
Result<std::string> Annotation(const nlohmann::json& layer, const char* key) {
  const auto annotations = layer.find("annotations");
  if (annotations == layer.end() || !annotations->is_object() || !annotations->contains(key))
    return std::string();
  return JsonNode((*annotations)[key], key).String(kMaxPathBytes);
}

Result<Layer> LayerOf(const nlohmann::json& value, const JsonNode& node) {
  Layer layer;
  TRIMS_ASSIGN_OR_RETURN(layer.type, Text(node, "mediaType", kMaxTypeBytes));
  TRIMS_ASSIGN_OR_RETURN(layer.file.digest, Text(node, "digest", kMaxTypeBytes));
  if (!IsSha256Digest(layer.file.digest)) {
    return BadManifest("the digest '" + ShownName(layer.file.digest) +
                       "', expected sha256: and 64 digits");
  }
  TRIMS_ASSIGN_OR_RETURN(const JsonNode size, node.Member("size"));
  TRIMS_ASSIGN_OR_RETURN(layer.file.length, size.Integer(0, kMaxModelBytes));
  TRIMS_ASSIGN_OR_RETURN(layer.file.name, Annotation(value, "org.cncf.model.filepath"));
  if (layer.file.name.empty()) {
    TRIMS_ASSIGN_OR_RETURN(layer.file.name, Annotation(value, "org.opencontainers.image.title"));
  }
  TRIMS_ASSIGN_OR_RETURN(const std::string unpack,
                         Annotation(value, "io.deis.oras.content.unpack"));
  layer.unpack = unpack == "true";
  return layer;
}

// An archive, or compressed: its bytes are no file's.
bool IsPacked(const Layer& layer) {
  for (const std::string_view end : {"tar", "tar+gzip", "tar.gzip", "tar+zstd", "+gzip", "+zstd"}) {
    if (layer.type.ends_with(end)) return true;
  }
  return layer.unpack;
}

bool IsNamelessModel(const Layer& layer) {
  return layer.type == "application/vnd.ollama.image.model" ||
         layer.type.starts_with("application/vnd.docker.ai.gguf");
}

// What stands beside a model without being part of it.
bool IsAside(const Layer& layer) {
  return layer.file.name.empty() && !IsNamelessModel(layer) &&
         (layer.type.starts_with("application/vnd.ollama.image.") ||
          layer.type.starts_with("application/vnd.docker.ai."));
}

Status NameLayer(Layer* layer, size_t count) {
  if (IsPacked(*layer)) {
    return Status(StatusCode::kUnimplemented,
                  "the artifact's layer '" +
                      ShownName(layer->file.name.empty() ? layer->file.digest : layer->file.name) +
                      "' is packed (" + ShownName(layer->type) + "), expected files as they are",
                  "push the files themselves, each a layer of its own, not their folder");
  }
  if (!layer->file.name.empty()) return Status();
  if (IsNamelessModel(*layer)) {
    layer->file.name = "model.gguf";
    return Status();
  }
  if (count > 1) {
    return BadManifest("several layers, and one without a name",
                       "push each file with its title (org.opencontainers.image.title)");
  }
  layer->file.name = "model";
  return Status();
}

Result<OciManifest> FromLayers(const nlohmann::json& layers) {
  TRIMS_ASSIGN_OR_RETURN(const size_t count, JsonNode(layers, "layers").Size(kMaxLayers));
  OciManifest manifest;
  for (size_t i = 0; i < count; ++i) {
    const JsonNode node(layers[i], "layers[" + std::to_string(i) + "]");
    TRIMS_ASSIGN_OR_RETURN(Layer layer, LayerOf(layers[i], node));
    if (IsAside(layer)) continue;
    TRIMS_RETURN_IF_ERROR(NameLayer(&layer, count));
    manifest.files.push_back(std::move(layer.file));
  }
  return manifest;
}

Result<OciManifest> FromIndex(const nlohmann::json& manifests) {
  TRIMS_ASSIGN_OR_RETURN(const size_t count, JsonNode(manifests, "manifests").Size(kMaxLayers));
  std::vector<std::string> digests;
  for (size_t i = 0; i < count; ++i) {
    const JsonNode node(manifests[i], "manifests[" + std::to_string(i) + "]");
    TRIMS_ASSIGN_OR_RETURN(std::string digest, Text(node, "digest", kMaxTypeBytes));
    if (!IsSha256Digest(digest))
      return BadManifest("the digest '" + ShownName(digest) + "', expected sha256: and 64 digits");
    digests.push_back(std::move(digest));
  }
  if (digests.size() == 1) return OciManifest{.files = {}, .only_manifest = digests.front()};
  return BadManifest(
      "it is an index of " + std::to_string(count) + " manifests, expected one artifact",
      digests.empty() ? "look what was pushed there"
                      : "name one of them by @" + ShownNames(digests));
}

}  // namespace

Result<OciManifest> ParseOciManifest(std::string_view json) {
  const Result<nlohmann::json> document = ParseJson(json, kManifestJson);
  if (!document.ok()) return BadManifest(document.status().message());
  if (!document->is_object()) return BadManifest("expected an object");
  const bool is_index = document->contains("manifests");
  if (!is_index && !document->contains("layers")) return BadManifest("expected 'layers'");
  Result<OciManifest> manifest =
      is_index ? FromIndex((*document)["manifests"]) : FromLayers((*document)["layers"]);
  if (manifest.ok() || !manifest.status().hint().empty()) return manifest;
  return BadManifest(manifest.status().message());
}

}  // namespace trims
