#include "prepare/safetensors_variant.h"

#include <algorithm>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/macros.h"
#include "base/mapping.h"
#include "base/shown_name.h"
#include "format/safetensors.h"
#include "prepare/finish_variant.h"
#include "prepare/tensor_groups.h"
#include "prepare/tensor_layout.h"
#include "prepare/tensors_variant.h"

namespace trims {
namespace {

constexpr char kSafetensorsExtent[] = "tensors.extent";
constexpr size_t kMaxMetadataBytes = 256 * 1024;  // of all safetensors metadata together

// Without its file: there may be more shards than descriptors.
struct Shard {
  std::string name;
  Safetensors content;
};

Result<Shard> ReadShard(const FileTree& source, size_t index) {
  const std::string& name = source.files()[index].name;
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> bytes, source.Open(name));
  Result<Safetensors> content = ReadSafetensors(*bytes);
  if (content.ok()) return Shard{name, *std::move(content)};
  const Status& why = content.status();
  const bool cut = why.code() == StatusCode::kDataLoss;
  return Status(why.code(), "'" + ShownName(name) + "': " + why.message(),
                !why.hint().empty() ? why.hint()
                : cut               ? "get the file again"
                                    : "keep it as it is: trims add … --variant files");
}

Status NotInShard(const std::string& tensor, const std::string& shard, const std::string& index) {
  return Status(StatusCode::kDataLoss,
                "the shard '" + ShownName(shard) + "' has no tensor '" + ShownName(tensor) +
                    "', which '" + ShownName(index) + "' says it has",
                "get shard and index again: they are of different versions");
}

Status NameTwice(const std::string& tensor, const std::string& one, const std::string& other) {
  return Status(StatusCode::kFailedPrecondition,
                "the tensor '" + ShownName(tensor) + "' is in '" + ShownName(one) + "' and in '" +
                    ShownName(other) + "'",
                "add one of them by its path");
}

using Owners = std::unordered_map<std::string_view, const Shard*>;

// How many tensors of each shard can't be in an index of ours: the names of those aren't known here.
std::unordered_map<std::string_view, size_t> LeftOutOf(const std::vector<Shard>& shards) {
  std::unordered_map<std::string_view, size_t> left_out;
  for (const Shard& shard : shards) {
    for (const auto& [why, tensors] : shard.content.left_out) left_out[shard.name] += tensors.count;
  }
  return left_out;
}

// No tensor is missing, and none is served from another shard than the index says.
Status CheckIndex(const SafetensorsIndex& index, const std::vector<Shard>& shards,
                  const Owners& owners) {
  std::unordered_map<std::string_view, size_t> left_out = LeftOutOf(shards);
  for (const auto& [tensor, shard] : index.shard_of) {
    const auto found = owners.find(tensor);
    if (found != owners.end() && found->second->name == shard) continue;
    size_t& excused = left_out[shard];
    if (found != owners.end() || excused == 0) return NotInShard(tensor, shard, index.name);
    --excused;
  }
  return Status();
}

// Whose each tensor of a component is.
Result<Owners> OwnersOf(const SafetensorsComponent& component, const std::vector<Shard>& shards) {
  Owners owners;
  for (const Shard& shard : shards) {
    for (const TensorEntry& entry : shard.content.tensors) {
      const auto [at, fresh] = owners.emplace(entry.name, &shard);
      if (fresh) continue;
      const auto said = component.index ? component.index->shard_of.find(entry.name)
                                        : std::map<std::string, std::string>::const_iterator();
      if (!component.index || said == component.index->shard_of.end()) {
        return NameTwice(entry.name, at->second->name, shard.name);
      }
      if (said->second == shard.name) at->second = &shard;
    }
  }
  if (component.index) TRIMS_RETURN_IF_ERROR(CheckIndex(*component.index, shards, owners));
  return owners;
}

struct Component {
  std::string prefix;
  std::vector<Shard> shards;
  Owners owners;
};

Result<Component> ReadComponent(const FileTree& source, const SafetensorsComponent& component) {
  Component read{.prefix = component.prefix, .shards = {}, .owners = {}};
  read.shards.reserve(component.files.size());
  for (const size_t file : component.files) {
    TRIMS_ASSIGN_OR_RETURN(Shard shard, ReadShard(source, file));
    read.shards.push_back(std::move(shard));
  }
  TRIMS_ASSIGN_OR_RETURN(read.owners, OwnersOf(component, read.shards));
  return read;
}

bool IsPart(const Component& component, const Shard& shard, const TensorEntry& entry) {
  return component.owners.at(entry.name) == &shard;
}

std::map<std::string, std::string> SafetensorsMetadata(const std::vector<Component>& components) {
  std::map<std::string, std::string> metadata{{"format", "safetensors"}};
  size_t bytes = 0;
  for (const Component& component : components) {
    for (const Shard& shard : component.shards) {
      for (const auto& [key, value] : shard.content.metadata) {
        bytes += key.size() + value.size();
        if (bytes <= kMaxMetadataBytes) {
          metadata.emplace("safetensors." + component.prefix + key, value);
        }
      }
    }
  }
  return metadata;
}

// A component's folder before a name can make it that of another component's tensor.
Status CheckNamesDiffer(const std::vector<Component>& components) {
  if (components.size() < 2) return Status();
  std::unordered_map<std::string, const Shard*> named;
  for (const Component& component : components) {
    for (const auto& [name, shard] : component.owners) {
      const auto [at, fresh] = named.emplace(component.prefix + std::string(name), shard);
      if (!fresh) return NameTwice(at->first, at->second->name, shard->name);
    }
  }
  return Status();
}

uint64_t BytesOnceLaid(const std::vector<Component>& components) {
  uint64_t total = 0;
  for (const Component& component : components) {
    for (const Shard& shard : component.shards) {
      for (const TensorEntry& entry : shard.content.tensors) {
        if (IsPart(component, shard, entry)) total += AlignUp(entry.length, kTensorAlignment);
      }
    }
  }
  return total;
}

// In the order of LayShard.
std::vector<bool> AlignedTensors(const std::vector<Component>& components) {
  std::vector<NamedBytes> tensors;
  for (const Component& component : components) {
    for (const Shard& shard : component.shards) {
      for (const TensorEntry& entry : shard.content.tensors) {
        if (IsPart(component, shard, entry))
          tensors.push_back({component.prefix + entry.name, entry.length});
      }
    }
  }
  return AlignedGroups(tensors);
}

Status LayShard(const FileTree& source, const Component& component, const Shard& shard,
                TensorLayout* layout) {
  TRIMS_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccess> file, source.Open(shard.name));
  for (const TensorEntry& entry : shard.content.tensors) {
    if (!IsPart(component, shard, entry)) continue;
    TensorEntry named = entry;
    named.name = component.prefix + entry.name;
    TRIMS_RETURN_IF_ERROR(CheckTensorName(named.name));
    TRIMS_RETURN_IF_ERROR(layout->AddRange(named, *file));
  }
  return Status();
}

Result<TensorLayout::Laid> Lay(const PrepareContext& context,
                               const std::vector<Component>& components,
                               std::vector<std::string>* notes) {
  TRIMS_ASSIGN_OR_RETURN(OutFile file, context.out.Create(kSafetensorsExtent));
  TensorLayout layout(std::move(file), context.progress, BytesOnceLaid(components));
  if (context.layers) layout.Align(AlignedTensors(components));
  for (const Component& component : components) {
    for (const Shard& shard : component.shards) {
      TRIMS_RETURN_IF_ERROR(LayShard(context.source, component, shard, &layout));
    }
  }
  NoteWasted(layout, notes);
  return std::move(layout).Finish();
}

}  // namespace

Result<ManifestVariant> MakeTensorsFromSafetensors(
    const PrepareContext& context, const std::vector<SafetensorsComponent>& components,
    std::vector<std::string>* notes) {
  std::vector<Component> read;
  read.reserve(components.size());
  for (const SafetensorsComponent& component : components) {
    TRIMS_ASSIGN_OR_RETURN(Component one, ReadComponent(context.source, component));
    for (const Shard& shard : one.shards) NoteLeftOut(shard.content.left_out, notes);
    read.push_back(std::move(one));
  }
  TRIMS_RETURN_IF_ERROR(CheckNamesDiffer(read));
  TRIMS_ASSIGN_OR_RETURN(TensorLayout::Laid laid, Lay(context, read, notes));
  return FinishVariant(context.out, Variant::kTensors, "", {WholeFileExtent(laid.file)},
                       {.extent_lengths = {},
                        .tensors = std::move(laid.tensors),
                        .files = {},
                        .metadata = SafetensorsMetadata(read)});
}

}  // namespace trims
