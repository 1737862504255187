#include "prepare/safetensors_choice.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>
#include <utility>

#include "base/macros.h"
#include "base/plain_path.h"
#include "base/shown_name.h"
#include "prepare/pipeline_index.h"
#include "prepare/shard_check.h"
#include "prepare/shard_name.h"

namespace trims {
namespace {

constexpr std::string_view kUsualStems[] = {"model", "diffusion_pytorch_model", "pytorch_model",
                                            "adapter_model"};

// One stem in one precision.
struct Weights {
  std::optional<size_t> whole;
  std::vector<size_t> shards;
  std::string index;  // the name of its file, or empty

  // Without an index: a whole file has all tensors, so that shards beside it are the same again.
  std::vector<size_t> Files() const { return whole ? std::vector<size_t>{*whole} : shards; }
};

using Precisions = std::map<std::string, Weights>;  // "" is none
using Stems = std::map<std::string, Precisions>;
using Folders = std::map<std::string, Stems>;  // "" is the top, others end in a slash

Folders SortOut(const FileTree& source) {
  Folders folders;
  for (size_t i = 0; i < source.files().size(); ++i) {
    const std::string& name = source.files()[i].name;
    const bool index = IsSafetensorsIndex(name);
    if (!index && !HasSuffix(name, kSafetensorsSuffix)) continue;
    const ShardName parsed =
        ParseShardName(index ? WeightsNameOfIndex(name) : name, kSafetensorsSuffix);
    Weights& weights = folders[parsed.folder][parsed.stem][parsed.precision];
    if (index) {
      weights.index = name;
    } else if (parsed.shard == 0 && weights.whole) {
      // "a.fp16" and "a_fp16" say the same of different files.
      folders[parsed.folder][name.substr(parsed.folder.size())][""].whole = i;
    } else if (parsed.shard == 0) {
      weights.whole = i;
    } else {
      weights.shards.push_back(i);
    }
  }
  return folders;
}

bool HasIndex(const Precisions& precisions) {
  return std::any_of(precisions.begin(), precisions.end(),
                     [](const auto& weights) { return !weights.second.index.empty(); });
}

// The first usual one with an index, all others with one, the first usual one, or all there are.
std::vector<std::string> ChooseStems(const Stems& stems) {
  std::vector<std::string> usual;
  std::vector<std::string> all;
  std::vector<std::string> indexed;
  for (const auto& [stem, precisions] : stems) {
    all.push_back(stem);
    if (HasIndex(precisions)) indexed.push_back(stem);
  }
  for (const std::string_view name : kUsualStems) {
    const auto found = stems.find(std::string(name));
    if (found == stems.end()) continue;
    if (HasIndex(found->second)) return {found->first};
    usual.push_back(found->first);
  }
  if (!indexed.empty()) return indexed;
  if (usual.empty()) return all;
  usual.resize(1);
  return usual;
}

// What an index names in other folders than its own. One that can't be read is an error where it is
// chosen.
std::set<std::string> FilesOfOtherFolders(const FileTree& source, const Folders& folders) {
  std::set<std::string> files;
  for (const auto& [folder, stems] : folders) {
    for (const std::string& stem : ChooseStems(stems)) {
      for (const auto& [precision, weights] : stems.at(stem)) {
        if (weights.index.empty()) continue;
        const Result<SafetensorsIndex> index = ReadSafetensorsIndex(source, weights.index);
        if (!index.ok()) continue;
        for (const std::string& shard : index->shards) {
          if (FolderOfPath(shard) != folder) files.insert(shard);
        }
      }
    }
  }
  return files;
}

// Leaves a folder what no index of another folder names.
Folders WithoutFilesOfOthers(const FileTree& source, Folders folders) {
  if (folders.size() < 2) return folders;
  const std::set<std::string> others = FilesOfOtherFolders(source, folders);
  const auto is_others = [&](size_t file) { return others.contains(source.files()[file].name); };
  for (auto& [folder, stems] : folders) {
    for (auto& [stem, precisions] : stems) {
      for (auto& [precision, weights] : precisions) {
        std::erase_if(weights.shards, is_others);
        if (weights.whole && is_others(*weights.whole)) weights.whole.reset();
      }
      std::erase_if(precisions, [](const auto& entry) {
        return entry.second.index.empty() && entry.second.Files().empty();
      });
    }
    std::erase_if(stems, [](const auto& entry) { return entry.second.empty(); });
  }
  std::erase_if(folders, [](const auto& entry) { return entry.second.empty(); });
  return folders;
}

Result<SafetensorsComponent> ByIndex(const FileTree& source, const std::string& name) {
  SafetensorsComponent component;
  TRIMS_ASSIGN_OR_RETURN(component.index, ReadSafetensorsIndex(source, name));
  for (const std::string& shard : component.index->shards) {
    const ListedFile* file = source.Find(shard);
    if (file == nullptr) return ShardMissing("shard", shard, "'" + ShownName(name) + "' names it");
    component.files.push_back(static_cast<size_t>(file - source.files().data()));
  }
  return component;
}

class Chooser {
 public:
  Chooser(const FileTree& source, std::string_view precision)
      : source_(source), precision_(precision) {}

  Result<SafetensorsChoice> Run() {
    Folders folders = WithoutFilesOfOthers(source_, SortOut(source_));
    TRIMS_ASSIGN_OR_RETURN(const PipelineIndex pipeline, ReadPipelineIndex(source_));
    if (pipeline.is_pipeline) KeepComponents(pipeline, &folders);
    const bool prefixed = folders.size() > 1 || pipeline.is_pipeline;
    for (const auto& [folder, stems] : folders) {
      TRIMS_RETURN_IF_ERROR(AddFolder(folder, stems, prefixed ? folder : ""));
    }
    TRIMS_RETURN_IF_ERROR(CheckPrecision());
    TRIMS_RETURN_IF_ERROR(undecided_);
    NoteStrays();
    return std::move(choice_);
  }

 private:
  // What lies beside a pipeline's components is no part of it.
  void KeepComponents(const PipelineIndex& pipeline, Folders* folders) {
    Folders kept;
    for (const auto& [folder, stems] : *folders) {
      if (pipeline.components.contains(folder)) kept.emplace(folder, stems);
    }
    if (!kept.empty()) *folders = std::move(kept);
    if (!source_.is_folder()) {
      choice_.notes.push_back("'" + ShownName(source_.files()[0].name) +
                              "' names the parts of a pipeline: add its folder");
      return;
    }
    for (const std::string& component : pipeline.components) {
      const auto at = std::lower_bound(
          source_.files().begin(), source_.files().end(), component,
          [](const ListedFile& file, const std::string& name) { return file.name < name; });
      if (at == source_.files().end() || !at->name.starts_with(component)) {
        choice_.notes.push_back("model_index.json names the component '" +
                                ShownName(component.substr(0, component.size() - 1)) +
                                "', which is not in the folder");
      }
    }
  }

  Status AddFolder(const std::string& folder, const Stems& stems, const std::string& prefix) {
    for (const std::string& stem : ChooseStems(stems)) {
      TRIMS_RETURN_IF_ERROR(AddWeights(folder, stems.at(stem), prefix));
    }
    return Status();
  }

  Status AddWeights(const std::string& folder, const Precisions& precisions,
                    const std::string& prefix) {
    const Weights* weights = InPrecision(folder, precisions);
    if (weights == nullptr) return Status();
    SafetensorsComponent component;
    if (weights->index.empty()) {
      const std::vector<size_t> files = weights->Files();
      // Without an index they have to be complete by their own names.
      if (source_.is_folder()) {
        TRIMS_RETURN_IF_ERROR(CheckShards(source_, files, kSafetensorsSuffix, "shard"));
      }
      if (std::vector<size_t>* same = FilesOfFolder(prefix)) {
        same->insert(same->end(), files.begin(), files.end());
        return Status();
      }
      component.files = files;
    } else {
      TRIMS_ASSIGN_OR_RETURN(component, ByIndex(source_, weights->index));
    }
    component.prefix = prefix;
    choice_.components.push_back(std::move(component));
    return Status();
  }

  // Several weights of one folder without an index are one component.
  std::vector<size_t>* FilesOfFolder(const std::string& prefix) {
    if (choice_.components.empty()) return nullptr;
    SafetensorsComponent& last = choice_.components.back();
    return last.prefix == prefix && !last.index ? &last.files : nullptr;
  }

  // nullptr: nothing says which, as undecided_ then does.
  const Weights* InPrecision(const std::string& folder, const Precisions& precisions) {
    for (const auto& [precision, weights] : precisions) {
      if (!precision.empty()) offered_.insert(precision);
    }
    if (const auto asked = precisions.find(precision_); asked != precisions.end()) {
      found_ |= !precision_.empty();
      return &asked->second;
    }
    auto taken = precisions.find("");
    if (taken == precisions.end() && precisions.size() == 1) taken = precisions.begin();
    if (taken == precisions.end()) {
      if (undecided_.ok()) undecided_ = SeveralPrecisions(folder, precisions);
      return nullptr;
    }
    if (!precision_.empty() || !taken->first.empty()) {
      const std::string is = taken->first.empty() ? "without a precision" : "in " + taken->first;
      choice_.notes.push_back(
          (folder.empty() ? "the weights are" : "the weights of '" + ShownName(folder) + "' are") +
          std::string(precision_.empty() ? " there only "
                                         : " not there in " + precision_ + ": taken ") +
          is);
    }
    return &taken->second;
  }

  static Status SeveralPrecisions(const std::string& folder, const Precisions& precisions) {
    std::vector<std::string> names;
    for (const auto& [precision, weights] : precisions) names.push_back(precision);
    return Status(StatusCode::kFailedPrecondition,
                  "the weights" + (folder.empty() ? "" : " in '" + ShownName(folder) + "'") +
                      " are there in the precisions " + ShownNames(names) +
                      " and nothing says which",
                  "trims add … --precision " + names.front());
  }

  Status CheckPrecision() const {
    const bool no_weights = choice_.components.empty() && offered_.empty();
    if (precision_.empty() || found_ || no_weights) return Status();
    const std::vector<std::string> offered(offered_.begin(), offered_.end());
    return Status(StatusCode::kNotFound,
                  "no weights in the precision '" + ShownName(precision_) + "'" +
                      (offered.empty() ? ": the names of the files give none"
                                       : "; there are: " + ShownNames(offered)),
                  offered.empty() ? "leave the precision away: trims add …"
                                  : "trims add … --precision " + offered.front());
  }

  void NoteStrays() {
    const std::vector<size_t> files = choice_.Files();
    const std::unordered_set<size_t> taken(files.begin(), files.end());
    std::vector<std::string> strays;
    for (size_t i = 0; i < source_.files().size(); ++i) {
      const std::string& name = source_.files()[i].name;
      if (!HasSuffix(name, kSafetensorsSuffix)) continue;
      if (!taken.contains(i)) strays.push_back(name);
    }
    if (strays.empty() || taken.empty()) return;
    choice_.notes.push_back("tensors: other weights in the folder are no part of them: " +
                            ShownNames(strays));
  }

  const FileTree& source_;
  const std::string precision_;
  bool found_ = false;
  std::set<std::string> offered_;
  Status undecided_;
  SafetensorsChoice choice_;
};

}  // namespace

std::vector<size_t> SafetensorsChoice::Files() const {
  std::vector<size_t> files;
  for (const SafetensorsComponent& component : components) {
    files.insert(files.end(), component.files.begin(), component.files.end());
  }
  return files;
}

Result<SafetensorsChoice> ChooseSafetensors(const FileTree& source, std::string_view precision) {
  return Chooser(source, precision).Run();
}

}  // namespace trims
