#include "prepare/onnx_choice.h"

#include <map>
#include <utility>

#include "format/tensor_entry.h"
#include "prepare/shard_name.h"

namespace trims {
namespace {

constexpr std::string_view kSuffix = ".onnx";
constexpr size_t kMaxNamed = 5;  // in a note

using Precisions = std::map<std::string, size_t>;                          // "" is none
using Models = std::map<std::pair<std::string, std::string>, Precisions>;  // by folder and stem

Models SortOut(const FileTree& source) {
  Models models;
  for (size_t i = 0; i < source.files().size(); ++i) {
    const std::string& name = source.files()[i].name;
    if (!name.ends_with(kSuffix)) continue;
    ShardName parsed = ParseShardName(name, kSuffix);
    models[{std::move(parsed.folder), std::move(parsed.stem)}].emplace(parsed.precision, i);
  }
  return models;
}

const Precisions* Main(const Models& models) {
  if (models.size() == 1) return &models.begin()->second;
  for (const char* folder : {"", "onnx/"}) {
    const auto found = models.find({folder, "model"});
    if (found != models.end()) return &found->second;
  }
  return nullptr;
}

std::string Names(const FileTree& source, const Models& models) {
  std::string names;
  size_t count = 0;
  for (const auto& [model, precisions] : models) {
    for (const auto& [precision, file] : precisions) {
      if (++count > kMaxNamed) continue;
      names += (names.empty() ? "" : ", ") + ShownName(source.files()[file].name);
    }
  }
  return count > kMaxNamed ? names + " and " + std::to_string(count - kMaxNamed) + " more" : names;
}

}  // namespace

OnnxChoice ChooseOnnx(const FileTree& source, std::string_view precision) {
  const Models models = SortOut(source);
  size_t count = 0;
  for (const auto& [model, precisions] : models) count += precisions.size();
  OnnxChoice choice;
  if (count == 0) return choice;
  const Precisions* main = Main(models);
  const std::string several =
      std::to_string(count) + " .onnx files (" + Names(source, models) + ")";
  if (main == nullptr) {
    choice.note =
        several + " and none is model.onnx: kept as files only; a single one is added by its path";
    return choice;
  }
  auto taken = main->find(std::string(precision));
  choice.in_precision = taken != main->end() && !precision.empty();
  if (taken == main->end()) taken = main->find("");
  if (taken == main->end() && main->size() == 1) taken = main->begin();
  if (taken == main->end()) {
    choice.note =
        several + " and none without a precision: kept as files only; --precision chooses one";
    return choice;
  }
  choice.file = taken->second;
  if (count > 1)
    choice.note =
        "of " + several + ", " + ShownName(source.files()[*choice.file].name) + " was taken";
  return choice;
}

}  // namespace trims
