#include "prepare/shard_check.h"

#include <cstdint>
#include <set>

#include "base/shown_name.h"
#include "prepare/shard_name.h"

namespace trims {

Status ShardMissing(const std::string& word, const std::string& shard, const std::string& says) {
  return Status(StatusCode::kDataLoss,
                "the " + word + " '" + ShownName(shard) + "' is missing: " + says,
                "get it, or keep what is there: trims add … --variant files");
}

Status CheckShards(const FileTree& source, const std::vector<size_t>& files,
                   std::string_view suffix, const std::string& word) {
  std::set<std::string> checked;  // the first of each set, which stands for all of it
  for (const size_t i : files) {
    const std::string& name = source.files()[i].name;
    if (!HasSuffix(name, suffix)) continue;
    const ShardName parsed = ParseShardName(name, suffix);
    if (parsed.shards == 0 || !checked.insert(SiblingShard(name, parsed, 1)).second) continue;
    for (uint32_t shard = 1; shard <= parsed.shards; ++shard) {
      const std::string sibling = SiblingShard(name, parsed, shard);
      if (source.Find(sibling) != nullptr) continue;
      return ShardMissing(word, sibling,
                          "'" + ShownName(name) + "' is one of " + std::to_string(parsed.shards));
    }
  }
  return Status();
}

}  // namespace trims
