#include "prepare/companions.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "base/plain_path.h"
#include "format/onnx.h"
#include "prepare/mxnet_choice.h"
#include "prepare/safetensors_index.h"
#include "prepare/shard_name.h"

namespace trims {
namespace {

std::vector<std::string> ExternalData(const FileTree& source, const std::string& name) {
  const Result<std::unique_ptr<RandomAccess>> bytes = source.Open(name);
  if (!bytes.ok()) return {};
  const Result<OnnxModel> model = ReadOnnx(**bytes);
  if (!model.ok()) return {};
  std::vector<std::string> files;
  for (const std::string& location : model->external_files) {
    if (std::optional<std::string> plain = PlainPathOf(location))
      files.push_back(*std::move(plain));
  }
  return files;
}

std::vector<std::string> ShardsOf(const FileTree& source, const std::string& name) {
  const Result<SafetensorsIndex> index = ReadSafetensorsIndex(source, name);
  if (!index.ok()) return {};
  return {index->shards.begin(), index->shards.end()};
}

std::vector<std::string> PartsOf(const std::string& name) {
  std::vector<std::string> parts;
  const ShardName parsed = ParseShardName(name, kGgufSuffix);
  for (uint32_t shard = 1; shard <= parsed.shards; ++shard) {
    parts.push_back(SiblingShard(name, parsed, shard));
  }
  return parts;
}

std::vector<std::string> SymbolOf(const std::string& name) {
  return {MxnetSymbolName(ParseMxnetName(name))};
}

}  // namespace

bool MayHaveCompanions(std::string_view name) {
  return HasSuffix(name, kOnnxSuffix) || IsSafetensorsIndex(name) ||
         HasSuffix(name, kMxnetSuffix) ||
         (HasSuffix(name, kGgufSuffix) && ParseShardName(name, kGgufSuffix).shards > 1);
}

std::vector<std::string> CompanionsOf(const FileTree& source) {
  if (source.is_folder() || source.files().empty()) return {};
  const std::string& name = source.files().front().name;
  if (!MayHaveCompanions(name)) return {};
  std::vector<std::string> found = HasSuffix(name, kOnnxSuffix)    ? ExternalData(source, name)
                                   : HasSuffix(name, kGgufSuffix)  ? PartsOf(name)
                                   : HasSuffix(name, kMxnetSuffix) ? SymbolOf(name)
                                                                   : ShardsOf(source, name);
  std::erase(found, name);
  return found;
}

}  // namespace trims
