// Alias: a name that means a version of a model, and is moved from one to another in one step.
//
//   prod=resnet50:3              opens of "prod" get resnet50:3
//   resnet50:stable=resnet50:2   opens of "resnet50:stable" get resnet50:2
//
// It means a version, never another alias, and remembers what it meant before, so that a move can be
// taken back. Equal labels of other content are no way back: a target has its digest.
//
// Thread-safety: values and pure functions.
#ifndef TRIMS_CATALOG_ALIAS_H_
#define TRIMS_CATALOG_ALIAS_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trims/status.h"

namespace trims {

// What an alias remembers: what it means and seven before it.
inline constexpr size_t kMaxAliasTargets = 8;

struct AliasName {
  std::string name;   // "namespace/name"
  std::string label;  // what follows the ':'; empty: nothing does

  std::string ToString() const { return label.empty() ? name : name + ":" + label; }
  friend auto operator<=>(const AliasName&, const AliasName&) = default;
};

struct AliasTarget {
  std::string name;
  std::string version;
  std::string digest;
  int64_t moved_unix_seconds = 0;

  std::string ToString() const { return name + ":" + version; }
  bool SameModel(const AliasTarget& other) const {
    return name == other.name && version == other.version && digest == other.digest;
  }
};

struct Alias {
  AliasName name;
  std::vector<AliasTarget> targets;  // never empty: what it means, then what it meant before

  const AliasTarget& target() const { return targets.front(); }
};

// INVALID_ARGUMENT: no [namespace/]name[:label], or "latest", which means the newest.
Result<AliasName> ParseAliasName(std::string_view text);

// `before` with `target` as what it means from now on; the oldest is forgotten where they are too many.
Alias MovedTo(Alias before, AliasTarget target);

class AliasTable {
 public:
  // nullptr: there is no such alias.
  const Alias* Find(const AliasName& name) const;
  // The first that means this version; nullptr: none does.
  const Alias* Meaning(const std::string& name, const std::string& version) const;
  // NOT_FOUND, with what there is.
  Result<const Alias*> Existing(const AliasName& name) const;
  std::vector<const Alias*> All() const;  // by name

  void Put(Alias alias);
  void Erase(const AliasName& name) { aliases_.erase(name); }

 private:
  std::map<AliasName, Alias> aliases_;
};

}  // namespace trims

#endif  // TRIMS_CATALOG_ALIAS_H_
