#include "catalog/alias.h"

#include <utility>

#include "base/macros.h"
#include "base/near_names.h"
#include "base/shown_name.h"
#include "catalog/model_reference.h"

namespace trims {
namespace {

constexpr size_t kMaxAliasesNamed = 3;
constexpr std::string_view kNewest = "latest";

Status NoAliasName(std::string_view text, const std::string& why) {
  return Status(StatusCode::kInvalidArgument, "alias '" + ShownName(text) + "': " + why,
                "write [namespace/]name or [namespace/]name:label");
}

}  // namespace

Result<AliasName> ParseAliasName(std::string_view text) {
  if (text == kNewest || text.ends_with(":latest") || text.ends_with("/latest")) {
    return NoAliasName(text, "'latest' always means the newest version");
  }
  TRIMS_ASSIGN_OR_RETURN(ModelReference parsed, ParseModelReference(text));
  if (!parsed.digest.empty()) return NoAliasName(text, "a digest is no name");
  return AliasName{std::move(parsed.name), std::move(parsed.version)};
}

Alias MovedTo(Alias before, AliasTarget target) {
  before.targets.insert(before.targets.begin(), std::move(target));
  if (before.targets.size() > kMaxAliasTargets) before.targets.resize(kMaxAliasTargets);
  return before;
}

const Alias* AliasTable::Find(const AliasName& name) const {
  const auto found = aliases_.find(name);
  return found == aliases_.end() ? nullptr : &found->second;
}

const Alias* AliasTable::Meaning(const std::string& name, const std::string& version) const {
  for (const auto& [alias_name, alias] : aliases_) {
    if (alias.target().name == name && alias.target().version == version) return &alias;
  }
  return nullptr;
}

Result<const Alias*> AliasTable::Existing(const AliasName& name) const {
  if (const Alias* found = Find(name)) return found;
  std::vector<std::string> known;
  for (const auto& [alias_name, alias] : aliases_) known.push_back(alias_name.ToString());
  std::string message = "there is no alias '" + name.ToString() + "'";
  const std::vector<std::string> near = NearNames(name.ToString(), known, kMaxAliasesNamed);
  if (!near.empty()) message += "; did you mean " + Alternatives(near) + "?";
  return Status(StatusCode::kNotFound, message,
                aliases_.empty() ? "trims alias " + name.ToString() + "=REFERENCE makes it"
                                 : "trims alias shows what there is");
}

std::vector<const Alias*> AliasTable::All() const {
  std::vector<const Alias*> all;
  for (const auto& [name, alias] : aliases_) all.push_back(&alias);
  return all;
}

void AliasTable::Put(Alias alias) {
  AliasName name = alias.name;
  aliases_.insert_or_assign(std::move(name), std::move(alias));
}

}  // namespace trims
