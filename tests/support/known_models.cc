#include "support/known_models.h"

#include <algorithm>

namespace trims::test {
namespace {

constexpr size_t kVersionDigits = 12;
constexpr size_t kAliasRemembers = 8;

KnownModels::AliasKey KeyOf(const Reference& alias) {
  return {std::string(alias.name), std::string(alias.label)};
}

bool SameModel(const KnownModel& one, const KnownModel& other) {
  return one.name == other.name && one.version == other.version && one.content == other.content;
}

}  // namespace

const KnownModel* KnownModels::Newest(const std::string& name) const {
  const KnownModel* newest = nullptr;
  for (const KnownModel& model : models_) {
    if (model.name == name && (newest == nullptr || model.added > newest->added)) newest = &model;
  }
  return newest;
}

const KnownModel* KnownModels::Lookup(const Reference& reference) const {
  const KnownModel* found = nullptr;
  for (const KnownModel& model : models_) {
    if (model.name != reference.name) continue;
    const bool any = reference.label.empty() || reference.label == "latest";
    const bool meant = reference.content >= 0 ? model.content == reference.content
                                              : any || model.version == reference.label;
    if (meant && (found == nullptr || model.added > found->added)) found = &model;
  }
  return found;
}

const KnownModel* KnownModels::Find(const Reference& reference) const {
  if (const KnownModel* model = Lookup(reference)) return model;
  const std::string label(reference.label == "latest" ? "" : reference.label);
  const auto alias = aliases_.find({std::string(reference.name), label});
  if (alias == aliases_.end()) return nullptr;
  const KnownModel& target = alias->second.front();
  return reference.content >= 0 ? Lookup({.name = target.name, .content = reference.content})
                                : Lookup({.name = target.name, .label = target.version});
}

bool KnownModels::Has(const std::string& name, const std::string& version) const {
  return std::any_of(models_.begin(), models_.end(), [&](const KnownModel& model) {
    return model.name == name && model.version == version;
  });
}

bool KnownModels::HasContent(int content) const {
  return std::any_of(models_.begin(), models_.end(),
                     [&](const KnownModel& model) { return model.content == content; });
}

std::string KnownModels::VersionOf(int content) const {
  return digests_[static_cast<size_t>(content)].substr(0, kVersionDigits);
}

StatusCode KnownModels::BeginAdd(std::string_view name, std::string_view version) const {
  const bool taken =
      aliases_.contains({std::string(name), ""}) ||
      (!version.empty() && aliases_.contains({std::string(name), std::string(version)}));
  return taken ? StatusCode::kAlreadyExists : StatusCode::kOk;
}

StatusCode KnownModels::Add(std::string_view name, std::string_view version, int content) {
  KnownModel added{.name = std::string(name), .version = std::string(version), .content = content};
  if (version.empty()) added.version = VersionOf(content);
  if (const StatusCode taken = BeginAdd(name, added.version); taken != StatusCode::kOk)
    return taken;
  const KnownModel* same = version.empty() ? Lookup({.name = name, .content = content}) : nullptr;
  if (same != nullptr) added.version = same->version;
  const auto before = std::find_if(models_.begin(), models_.end(), [&](const KnownModel& model) {
    return model.name == added.name && model.version == added.version;
  });
  if (before != models_.end()) {
    if (before->content != content) return StatusCode::kAlreadyExists;
    models_.erase(before);
  }
  added.added = ++last_;
  models_.push_back(std::move(added));
  return StatusCode::kOk;
}

bool KnownModels::Meant(const KnownModel& model) const {
  return std::any_of(aliases_.begin(), aliases_.end(), [&](const auto& alias) {
    return alias.second.front().name == model.name && alias.second.front().version == model.version;
  });
}

StatusCode KnownModels::Remove(const Reference& reference) {
  const KnownModel* found = Find(reference);
  if (found == nullptr) return StatusCode::kNotFound;
  if (Lookup(reference) == nullptr) return StatusCode::kFailedPrecondition;  // an alias's name
  const bool all = reference.label.empty() && reference.content < 0;
  std::vector<KnownModel> left;
  for (const KnownModel& model : models_) {
    const bool goes =
        model.name == found->name &&
        (reference.content >= 0 ? model.content == reference.content : all || &model == found);
    if (goes && Meant(model)) return StatusCode::kFailedPrecondition;
    if (!goes) left.push_back(model);
  }
  models_ = std::move(left);
  std::erase_if(pins_, [&](const auto& pin) { return !Has(pin.first, pin.second); });
  std::erase_if(keep_alives_, [&](const auto& kept) { return Newest(kept.first) == nullptr; });
  return StatusCode::kOk;
}

StatusCode KnownModels::KeepAlive(const Reference& reference, std::optional<Reclaim> kept) {
  const KnownModel* found = Find(reference);
  if (found == nullptr) return StatusCode::kNotFound;
  const bool named = reference.label.empty() || reference.label == "latest";
  if (!named || reference.content >= 0) return StatusCode::kInvalidArgument;
  keep_alives_.erase(found->name);
  if (kept) keep_alives_.emplace(found->name, *kept);
  return StatusCode::kOk;
}

Reclaim KnownModels::ReclaimOf(int content, const Reclaim& by_policy) const {
  Reclaim longest = Reclaim::kEager;
  for (const KnownModel& model : models_) {
    if (model.content != content) continue;
    const auto said = keep_alives_.find(model.name);
    longest = Longer(longest, said == keep_alives_.end() ? by_policy : said->second);
  }
  return longest;
}

StatusCode KnownModels::SetAlias(const Reference& alias, const Reference& to) {
  const bool is_model = alias.label.empty()
                            ? Newest(std::string(alias.name)) != nullptr
                            : Has(std::string(alias.name), std::string(alias.label));
  if (is_model) return StatusCode::kAlreadyExists;
  const KnownModel* target = Find(to);
  if (target == nullptr) return StatusCode::kNotFound;
  std::vector<KnownModel>& meant = aliases_[KeyOf(alias)];
  if (!meant.empty() && SameModel(meant.front(), *target)) return StatusCode::kOk;
  meant.insert(meant.begin(), *target);
  if (meant.size() > kAliasRemembers) meant.pop_back();
  return StatusCode::kOk;
}

StatusCode KnownModels::DeleteAlias(const Reference& alias) {
  return aliases_.erase(KeyOf(alias)) > 0 ? StatusCode::kOk : StatusCode::kNotFound;
}

StatusCode KnownModels::Rollback(const Reference& alias) {
  const auto found = aliases_.find(KeyOf(alias));
  if (found == aliases_.end()) return StatusCode::kNotFound;
  std::vector<KnownModel>& meant = found->second;
  if (meant.size() < 2) return StatusCode::kFailedPrecondition;
  const bool there = std::any_of(models_.begin(), models_.end(), [&](const KnownModel& model) {
    return SameModel(model, meant[1]);
  });
  if (!there) return StatusCode::kFailedPrecondition;
  meant.erase(meant.begin());
  return StatusCode::kOk;
}

StatusCode KnownModels::Unpin(const Reference& reference) {
  const KnownModel* found = Find(reference);
  if (found == nullptr) return StatusCode::kNotFound;
  pins_.erase({found->name, found->version});
  return StatusCode::kOk;
}

std::set<int> KnownModels::PinnedContents() const {
  std::set<int> contents;
  for (const KnownModel& model : models_) {
    if (pins_.contains({model.name, model.version})) contents.insert(model.content);
  }
  return contents;
}

std::vector<std::string> KnownModels::Lines() const {
  std::vector<KnownModel> models = models_;
  std::sort(models.begin(), models.end(), [](const KnownModel& one, const KnownModel& other) {
    return one.name != other.name ? one.name < other.name : one.added > other.added;
  });
  std::vector<std::string> lines;
  for (const KnownModel& model : models) {
    std::string line = model.Text() + " " + VersionOf(model.content);
    if (Newest(model.name)->version == model.version) line += " newest";
    for (const auto& [alias, meant] : aliases_) {
      if (meant.front().name != model.name || meant.front().version != model.version) continue;
      line += " default/" + alias.first + (alias.second.empty() ? "" : ":" + alias.second);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> KnownModels::AliasLines() const {
  std::vector<std::string> lines;
  for (const auto& [alias, meant] : aliases_) {
    lines.push_back("default/" + alias.first + (alias.second.empty() ? "" : ":" + alias.second) +
                    "=" + meant.front().Text());
  }
  return lines;
}

}  // namespace trims::test
