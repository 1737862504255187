// Retirer: how old versions of a model leave the catalog when there are more, or older ones, than are to be kept.
//
// What an alias means, what is pinned and what somebody holds stays, and counts among those that are kept
// by number only if it is new enough. As with a removal, running functions keep their pages.
//
//   retirer.Retire("default/ocr", {.versions = 3}, in_use, [](Result<std::vector<RemovedModel>> retired) { … });
//
// Thread-safety: loop only. Destroyed, it calls nobody back.
#ifndef TRIMS_INGEST_RETIRER_H_
#define TRIMS_INGEST_RETIRER_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "ingest/ingest_dependencies.h"
#include "ingest/turns.h"
#include "loop/while_alive.h"

namespace trims {

// Which versions of a name stay when a new one has come: the newest so many, and those that were added less
// long ago. What one of the two keeps stays.
struct Retention {
  size_t versions = 0;
  std::chrono::seconds for_at_least{0};

  bool all() const { return versions == 0 && for_at_least.count() == 0; }  // nothing goes
};

class Retirer {
 public:
  // `turns` and `counters` outlive it too.
  Retirer(const IngestDependencies& dependencies, Turns* turns, IngestCounters* counters)
      : dependencies_(dependencies), turns_(turns), counters_(counters) {}

  // Whether somebody holds any of it, or waits for it.
  using InUse = std::function<bool(const CatalogEntry&)>;

  // Forgets the versions of `name` that `keep` does not keep, the oldest first. The newest always stays.
  void Retire(const std::string& name, const Retention& keep, InUse in_use, RemoveCallback done);

  size_t in_flight() const { return in_flight_; }

 private:
  struct Retirement;

  // The oldest that may go; nullptr: none.
  const CatalogEntry* Next(const Retirement& retirement) const;
  void RetireNext(std::unique_ptr<Retirement> retirement);
  bool MustStay(const CatalogEntry& entry) const;

  const IngestDependencies dependencies_;
  Turns* const turns_;
  IngestCounters* const counters_;
  size_t in_flight_ = 0;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_RETIRER_H_
