#include "prepare/safetensors_index.h"

#include <memory>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/plain_path.h"
#include "format/json_node.h"
#include "format/tensor_entry.h"

namespace trims {
namespace {

constexpr std::string_view kIndex = ".safetensors.index.";
constexpr std::string_view kJson = ".json";
constexpr char kNext[] = "get the file again, or --variant files keeps any file as it is";

Status BadIndex(const std::string& name, const std::string& what) {
  return Status(StatusCode::kInvalidArgument, "'" + ShownName(name) + "': " + what, kNext);
}

Result<std::string> ReadText(const SourceTree& source, const std::string& name) {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file, source.Open(name));
  if (file->size() > JsonLimits{}.max_bytes) {
    return BadIndex(name, "is " + std::to_string(file->size()) + " bytes long: expected at most " +
                              std::to_string(JsonLimits{}.max_bytes));
  }
  std::string text(static_cast<size_t>(file->size()), '\0');
  if (text.empty()) return text;
  TRIMS_RETURN_IF_ERROR(file->ReadAt(0, std::as_writable_bytes(std::span(text))));
  return text;
}

std::string FolderOf(std::string_view name) {
  const size_t slash = name.rfind('/');
  return std::string(slash == std::string_view::npos ? "" : name.substr(0, slash + 1));
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
  TRIMS_ASSIGN_OR_RETURN(const std::string text, ReadText(source, name));
  const Result<nlohmann::json> document = ParseJson(text, JsonLimits{});
  if (!document.ok()) return BadIndex(name, document.status().message());
  const auto map = document->is_object() ? document->find("weight_map") : document->end();
  if (!document->is_object() || map == document->end() || !map->is_object() || map->empty()) {
    return BadIndex(name, "expected an object with a weight_map of tensors to files");
  }
  SafetensorsIndex index{.name = name, .shard_of = {}, .shards = {}};
  const std::string folder = FolderOf(name);
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || !IsPlainPath(file.get_ref<const std::string&>())) {
      return BadIndex(
          name, "expected the name of a file beside it for the tensor '" + ShownName(tensor) + "'");
    }
    std::string shard = folder + file.get_ref<const std::string&>();
    index.shards.insert(shard);
    index.shard_of.emplace(tensor, std::move(shard));
  }
  return index;
}

}  // namespace trims
