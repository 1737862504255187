#include "prepare/pipeline_index.h"

#include <nlohmann/json.hpp>

#include "base/macros.h"
#include "base/plain_path.h"
#include "format/json_node.h"
#include "source/read_text.h"

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
  TRIMS_ASSIGN_OR_RETURN(const std::string text, ReadText(source, kName, kLimits.max_bytes));
  const Result<nlohmann::json> document = ParseJson(text, kLimits);
  if (!document.ok() || !document->is_object()) return index;
  for (const auto& [key, value] : document->items()) {
    if (IsComponent(key, value)) index.components.insert(key + "/");
  }
  index.is_pipeline = !index.components.empty();
  return index;
}

}  // namespace trims
