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

constexpr std::string_view kIndex = ".safetensors.index.";
constexpr std::string_view kJson = ".json";
constexpr char kNext[] = "get the file again, or --variant files keeps any file as it is";

Status BadIndex(const std::string& name, const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "'" + ShownName(name) + "': " + what, kNext);
}

}  // namespace

bool IsSafetensorsIndex(std::string_view name) {
  return name.find(kIndex) != std::string_view::npos && name.ends_with(kJson);
}

std::string WeightsNameOfIndex(std::string_view name) {
  const size_t at = name.rfind(kIndex);
  std::string weights(name.substr(0, at));
  std::string_view rest = name.substr(at + kIndex.size());  // "json" or "fp16.json"
  if (rest.ends_with(kJson)) weights.append(".").append(rest.substr(0, rest.size() - kJson.size()));
  return weights + ".safetensors";
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
