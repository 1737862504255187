// KnownModels: what a catalog should know after each change, as simply as it can be said: which versions there
// are, what the aliases mean, what is pinned, and how each change is answered.
//
// Each change is made here, too, if it should be: it returns the code that it should be answered with.
// Thread-safety: none.
#ifndef TRIMS_TESTS_SUPPORT_KNOWN_MODELS_H_
#define TRIMS_TESTS_SUPPORT_KNOWN_MODELS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "trims/status.h"

#include "store/tier_policy.h"
#include "support/operations.h"

namespace trims::test {

struct KnownModel {
  std::string name;
  std::string version;
  int content = 0;
  uint64_t added = 0;  // the later, the newer

  std::string Text() const { return "default/" + name + ":" + version; }
};

class KnownModels {
 public:
  using AliasKey = std::pair<std::string, std::string>;  // name and label

  explicit KnownModels(Digests digests = MadeUpDigests()) : digests_(std::move(digests)) {}

  const KnownModel* Find(const Reference& reference) const;  // nullptr: there is none
  bool Has(const std::string& name, const std::string& version) const;
  bool HasContent(int content) const;

  // Whether the name is an alias's: before anything is read.
  StatusCode BeginAdd(std::string_view name, std::string_view version) const;
  StatusCode Add(std::string_view name, std::string_view version, int content);
  StatusCode Remove(const Reference& reference);
  StatusCode SetAlias(const Reference& alias, const Reference& to);
  StatusCode DeleteAlias(const Reference& alias);
  StatusCode Rollback(const Reference& alias);
  void Pin(const std::string& name, const std::string& version) { pins_.insert({name, version}); }
  StatusCode Unpin(const Reference& reference);
  std::set<int> PinnedContents() const;
  // None: as the policy has it, again.
  StatusCode KeepAlive(const Reference& reference, std::optional<Reclaim> kept);
  Reclaim ReclaimOf(int content, const Reclaim& by_policy) const;

  // "default/a:v1 aaaaaaaaaaaa newest canary,prod", by name and then newest first.
  std::vector<std::string> Lines() const;
  std::vector<std::string> AliasLines() const;  // "default/prod=default/a:v1"

 private:
  const KnownModel* Newest(const std::string& name) const;
  const KnownModel* Lookup(const Reference& reference) const;
  bool Meant(const KnownModel& model) const;  // by an alias

  std::string VersionOf(int content) const;  // where it is given none

  const Digests digests_;
  uint64_t last_ = 0;
  std::vector<KnownModel> models_;
  std::map<AliasKey, std::vector<KnownModel>>
      aliases_;  // what each means, then what it meant before
  std::set<std::pair<std::string, std::string>> pins_;
  std::map<std::string, Reclaim> keep_alives_;  // by name
};

}  // namespace trims::test

#endif  // TRIMS_TESTS_SUPPORT_KNOWN_MODELS_H_
