#include "prepare/pipeline_index.h"

#include <memory>
#include <span>

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/plain_path.h"
#include "format/json_node.h"

namespace trims {
namespace {

constexpr char kName[] = "model_index.json";
constexpr JsonLimits kLimits{.max_bytes = size_t{1} << 20, .max_depth = 16};

// ["diffusers", "UNet2DConditionModel"]; [null, null] is a component that this pipeline does without.
bool IsComponent(const std::string& key, const nlohmann::json& value) {
  return IsPlainPath(key) && value.is_array() && value.size() == 2 && value[0].is_string() &&
         value[1].is_string();
}

}  // namespace

Result<PipelineIndex> ReadPipelineIndex(const FileTree& source) {
  PipelineIndex index;
  const ListedFile* file = source.Find(kName);
  if (file == nullptr || file->length == 0 || file->length > kLimits.max_bytes) return index;
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(kName));
  std::string text(static_cast<size_t>(file->length), '\0');
  TRIMS_RETURN_IF_ERROR(bytes->ReadAt(0, std::as_writable_bytes(std::span(text))));
  const Result<nlohmann::json> document = ParseJson(text, kLimits);
  if (!document.ok() || !document->is_object()) return index;
  for (const auto& [key, value] : document->items()) {
    if (IsComponent(key, value)) index.components.insert(key + "/");
  }
  index.is_pipeline = !index.components.empty();
  return index;
}

}  // namespace trims
