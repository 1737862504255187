// ChooseMxnet: which files of a source are an MXNet checkpoint: PREFIX-0000.params, and the symbol
// PREFIX-symbol.json beside it.
//
//   TRIMS_ASSIGN_OR_RETURN(const MxnetChoice mxnet, ChooseMxnet(source));
//
// Thread-safety: pure functions, but for reading the beginning of files.
#ifndef TRIMS_PREPARE_MXNET_CHOICE_H_
#define TRIMS_PREPARE_MXNET_CHOICE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "trims/status.h"

#include "source/file_tree.h"

namespace trims {

inline constexpr std::string_view kMxnetSuffix = ".params";

// "nets/resnet-0012.params" is epoch 12 of "nets/resnet"; without four digits behind a dash there is
// no epoch, and the prefix is all before the suffix.
struct MxnetName {
  std::string prefix;
  std::optional<uint32_t> epoch;
};
MxnetName ParseMxnetName(std::string_view name);

// Of the symbol that belongs to such a file.
std::string MxnetSymbolName(const MxnetName& name);

struct MxnetChoice {
  std::optional<size_t> params;
  std::optional<size_t> symbol;
  std::string note;  // where the choice was not obvious
};

// Files in .params that begin as MXNet's do: others write such files, too. Of one prefix's epochs the
// last is taken; of several prefixes none. The symbol is that of the prefix, or the only one in the
// folder. Errors are those of reading.
Result<MxnetChoice> ChooseMxnet(const FileTree& source);

}  // namespace trims

#endif  // TRIMS_PREPARE_MXNET_CHOICE_H_
