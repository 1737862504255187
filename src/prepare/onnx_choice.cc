#include "prepare/onnx_choice.h"

#include <map>
#include <utility>

#include "format/tensor_entry.h"
#include "prepare/shard_name.h"

namespace trims {
namespace {

constexpr std::string_view kOnnxSuffix = ".onnx";
constexpr size_t kMaxNamedModels = 5;  // in a note

using OnnxPrecisions = std::map<std::string, size_t>;  // "" is none
using OnnxModels =
    std::map<std::pair<std::string, std::string>, OnnxPrecisions>;  // by folder and stem

OnnxModels SortOutOnnx(const FileTree& source) {
  OnnxModels models;
  for (size_t i = 0; i < source.files().size(); ++i) {
    const std::string& name = source.files()[i].name;
    if (!name.ends_with(kOnnxSuffix)) continue;
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

std::string NamedModels(const FileTree& source, const OnnxModels& models) {
  std::string names;
  size_t count = 0;
  for (const auto& [model, precisions] : models) {
    for (const auto& [precision, file] : precisions) {
      if (++count > kMaxNamedModels) continue;
      names += (names.empty() ? "" : ", ") + ShownName(source.files()[file].name);
    }
  }
  return count > kMaxNamedModels
             ? names + " and " + std::to_string(count - kMaxNamedModels) + " more"
             : names;
}

}  // namespace

OnnxChoice ChooseOnnx(const FileTree& source, std::string_view precision) {
  const OnnxModels models = SortOutOnnx(source);
  size_t count = 0;
  for (const auto& [model, precisions] : models) count += precisions.size();
  OnnxChoice choice;
  if (count == 0) return choice;
  const OnnxPrecisions* main = Main(models);
  const std::string several =
      std::to_string(count) + " .onnx files (" + NamedModels(source, models) + ")";
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
