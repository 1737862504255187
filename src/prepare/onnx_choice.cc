#include "prepare/onnx_choice.h"

#include <map>
#include <utility>

#include "base/shown_name.h"
#include "prepare/shard_name.h"

namespace trims {
namespace {

using OnnxPrecisions = std::map<std::string, size_t>;  // "" is none
using OnnxModels =
    std::map<std::pair<std::string, std::string>, OnnxPrecisions>;  // by folder and stem

OnnxModels SortOutOnnx(const FileTree& source) {
  OnnxModels models;
  for (size_t i = 0; i < source.files().size(); ++i) {
    const std::string& name = source.files()[i].name;
    if (!HasSuffix(name, kOnnxSuffix)) continue;
    ShardName parsed = ParseShardName(name, kOnnxSuffix);
    models[{std::move(parsed.folder), std::move(parsed.stem)}].emplace(parsed.precision, i);
  }
  return models;
}

const OnnxPrecisions* Main(const OnnxModels& models) {
  if (models.size() == 1) return &models.begin()->second;
  for (const char* folder : {"", "onnx/"}) {
    const auto found = models.find({folder, "model"});
    if (found != models.end()) return &found->second;
  }
  return nullptr;
}

std::vector<std::string> NamesOf(const FileTree& source, const OnnxModels& models) {
  std::vector<std::string> names;
  for (const auto& [model, precisions] : models) {
    for (const auto& [precision, file] : precisions) names.push_back(source.files()[file].name);
  }
  return names;
}

}  // namespace

OnnxChoice ChooseOnnx(const FileTree& source, std::string_view precision) {
  const OnnxModels models = SortOutOnnx(source);
  const std::vector<std::string> names = NamesOf(source, models);
  OnnxChoice choice;
  if (names.empty()) return choice;
  const OnnxPrecisions* main = Main(models);
  const std::string several =
      std::to_string(names.size()) + " .onnx files (" + ShownNames(names) + ")";
  if (main == nullptr) {
    choice.note = several +
                  " and none is model.onnx at the top or in onnx/: kept as files only; a single "
                  "one is added by its path";
    return choice;
  }
  for (const auto& [name, file] : *main) {
    if (!name.empty()) choice.precisions.push_back(name);
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
  if (names.size() > 1)
    choice.note =
        "of " + several + ", " + ShownName(source.files()[*choice.file].name) + " was taken";
  return choice;
}

}  // namespace trims
