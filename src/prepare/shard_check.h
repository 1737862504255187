// CheckShards: whether all parts of a model that was cut into several files are there.
//
//   TRIMS_RETURN_IF_ERROR(CheckShards(source, files, kGgufSuffix, "part"));
//
// Thread-safety: a function of its arguments.
#ifndef TRIMS_PREPARE_SHARD_CHECK_H_
#define TRIMS_PREPARE_SHARD_CHECK_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

#include "source/file_tree.h"

namespace trims {

// Of `files`, each that ends in `suffix` and by its name is one of several. `word`: what people call one.
// DATA_LOSS: one is missing.
Status CheckShards(const FileTree& source, const std::vector<size_t>& files,
                   std::string_view suffix, const std::string& word);

// `says`: by what it should be there.
Status ShardMissing(const std::string& word, const std::string& shard, const std::string& says);

}  // namespace trims

#endif  // TRIMS_PREPARE_SHARD_CHECK_H_
