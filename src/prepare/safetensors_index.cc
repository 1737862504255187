#include "prepare/safetensors_index.h"

#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/plain_path.h"
#include "base/shown_name.h"
#include "format/json_node.h"
#include "source/read_text.h"

namespace trims {
namespace {

constexpr std::string_view kWeights = ".safetensors";
constexpr std::string_view kIndex = ".index";
constexpr std::string_view kJson = ".json";
constexpr char kNext[] = "get the file again, or --variant files keeps any file as it is";

struct IndexName {
  std::string_view stem;       // with its folder
  std::string_view precision;  // what stands behind ".safetensors"; empty: nothing does
};

// "STEM.safetensors.index.json", "STEM.safetensors.index.fp16.json", and as diffusers once wrote it,
// "STEM.safetensors.fp16.index.json".
std::optional<IndexName> PartsOf(std::string_view name) {
  const size_t begin = name.rfind(kWeights);
  if (begin == std::string_view::npos || begin < FolderOfPath(name).size()) return std::nullopt;
  std::string_view rest = name.substr(begin + kWeights.size());
  if (!rest.ends_with(kJson)) return std::nullopt;
  rest.remove_suffix(kJson.size());
  IndexName parts{.stem = name.substr(0, begin), .precision = {}};
  if (rest.starts_with(kIndex)) {
    rest.remove_prefix(kIndex.size());
  } else if (rest.ends_with(kIndex)) {
    rest.remove_suffix(kIndex.size());
  } else {
    return std::nullopt;
  }
  if (rest.empty()) return parts;
  if (rest.size() < 2 || rest.front() != '.') return std::nullopt;
  parts.precision = rest.substr(1);
  return parts;
}

Status BadIndex(const std::string& name, const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "'" + ShownName(name) + "': " + what, kNext);
}

}  // namespace

bool IsSafetensorsIndex(std::string_view name) { return PartsOf(name).has_value(); }

std::string WeightsNameOfIndex(std::string_view name) {
  const std::optional<IndexName> parts = PartsOf(name);
  if (!parts) return {};
  std::string weights(parts->stem);
  if (!parts->precision.empty()) weights.append(".").append(parts->precision);
  return weights.append(kWeights);
}

Result<SafetensorsIndex> ReadSafetensorsIndex(const SourceTree& source, const std::string& name) {
  const Result<std::string> text = ReadText(source, name, JsonLimits{}.max_bytes);
  if (!text.ok()) {
    return text.status().code() == StatusCode::kTooLarge ? BadIndex(name, text.status().message())
                                                         : text.status();
  }
  const Result<nlohmann::json> document = ParseJson(*text, JsonLimits{});
  if (!document.ok()) return BadIndex(name, document.status().message());
  const auto map = document->is_object() ? document->find("weight_map") : document->end();
  if (!document->is_object() || map == document->end() || !map->is_object() || map->empty()) {
    return BadIndex(name, "expected an object with a weight_map of tensors to files");
  }
  SafetensorsIndex index{.name = name, .shard_of = {}, .shards = {}};
  const std::string folder(FolderOfPath(name));
  for (const auto& [tensor, file] : map->items()) {
    const std::optional<std::string> path =
        file.is_string() ? PlainPathOf(file.get_ref<const std::string&>()) : std::nullopt;
    if (!path) {
      return BadIndex(
          name, "expected the name of a file beside it for the tensor '" + ShownName(tensor) + "'");
    }
    std::string shard = folder + *path;
    index.shards.insert(shard);
    index.shard_of.emplace(tensor, std::move(shard));
  }
  return index;
}

}  // namespace trims
