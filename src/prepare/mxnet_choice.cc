#include "prepare/mxnet_choice.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <vector>

#include "base/macros.h"
#include "base/shown_name.h"
#include "format/mxnet_params.h"
#include "prepare/shard_name.h"

namespace trims {
namespace {

constexpr std::string_view kSymbolSuffix = "-symbol.json";
constexpr size_t kEpochDigits = 4;  // at least: epoch 12345 has five

std::string_view FolderOf(std::string_view name) {
  const size_t slash = name.rfind('/');
  return name.substr(0, slash == std::string_view::npos ? 0 : slash + 1);
}

Result<std::vector<size_t>> ParamsFiles(const FileTree& source) {
  std::vector<size_t> found;
  for (size_t i = 0; i < source.files().size(); ++i) {
    const ListedFile& file = source.files()[i];
    if (!HasSuffix(file.name, kMxnetSuffix)) continue;
    TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(file.name));
    TRIMS_ASSIGN_OR_RETURN(const bool mxnet, HasMxnetMagic(*bytes));
    if (mxnet) found.push_back(i);
  }
  return found;
}

std::optional<size_t> SymbolOf(const FileTree& source, const MxnetName& name) {
  std::vector<size_t> beside;
  for (size_t i = 0; i < source.files().size(); ++i) {
    const std::string& file = source.files()[i].name;
    if (file == MxnetSymbolName(name)) return i;
    if (HasSuffix(file, kSymbolSuffix) && FolderOf(file) == FolderOf(name.prefix))
      beside.push_back(i);
  }
  return beside.size() == 1 ? std::optional(beside.front()) : std::nullopt;
}

}  // namespace

MxnetName ParseMxnetName(std::string_view name) {
  const std::string_view stem = name.substr(0, name.size() - kMxnetSuffix.size());
  const size_t dash = stem.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return {std::string(stem), std::nullopt};
  const std::string_view digits = stem.substr(dash + 1);
  uint32_t epoch = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), epoch);
  const bool all = error == std::errc() && end == digits.data() + digits.size();
  if (!all || digits.size() < kEpochDigits) return {std::string(stem), std::nullopt};
  return {std::string(stem.substr(0, dash)), epoch};
}

std::string MxnetSymbolName(const MxnetName& name) {
  return name.prefix + std::string(kSymbolSuffix);
}

Result<MxnetChoice> ChooseMxnet(const FileTree& source) {
  TRIMS_ASSIGN_OR_RETURN(const std::vector<size_t> found, ParamsFiles(source));
  MxnetChoice choice;
  if (found.empty()) return choice;
  std::set<std::string> prefixes;
  std::vector<std::string> names;
  std::optional<uint32_t> last;
  for (const size_t file : found) {
    const MxnetName name = ParseMxnetName(source.files()[file].name);
    prefixes.insert(name.prefix);
    names.push_back(source.files()[file].name);
    if (choice.params && name.epoch <= last) continue;
    choice.params = file;
    last = name.epoch;
  }
  const std::string several =
      std::to_string(names.size()) + " .params files (" + ShownNames(names) + ")";
  if (prefixes.size() > 1) {
    return MxnetChoice{.params = {},
                       .symbol = {},
                       .note = several +
                               " of different networks: kept as files only; a single one "
                               "is added by its path"};
  }
  const std::string& taken = source.files()[*choice.params].name;
  choice.symbol = SymbolOf(source, ParseMxnetName(taken));
  if (names.size() > 1) choice.note = "of " + several + ", " + ShownName(taken) + " was taken";
  return choice;
}

}  // namespace trims
