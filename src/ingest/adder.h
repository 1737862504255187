// Adder: how a model comes into the catalog, stage by stage (add_stages.h).
//
// Preparing overlaps; what follows goes in turn: choosing the version, publishing what was prepared,
// the catalog. Whoever asked is answered once, and after a failure not before all that had been made
// is gone.
//
// Thread-safety: loop only. Destroyed, it calls nobody back, and what was under way is dropped.
#ifndef TRIMS_INGEST_ADDER_H_
#define TRIMS_INGEST_ADDER_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "ingest/add_stages.h"
#include "ingest/ingest_dependencies.h"
#include "ingest/turns.h"
#include "loop/while_alive.h"
#include "wire/principal.h"

namespace trims {

class Adder {
 public:
  // `turns` and `counters` outlive it too.
  Adder(const IngestOptions& options, const IngestDependencies& dependencies, Turns* turns,
        IngestCounters* counters)
      : options_(options), dependencies_(dependencies), turns_(turns), counters_(counters) {}

  // Contract of Manager::Add.
  void Add(const wire::Principal& principal, const std::string& requested,
           const std::string& source, const PrepareWishes& wishes, Preparer::Progress progress,
           AddCallback done);

  size_t in_flight() const { return in_flight_; }

 private:
  struct Asker;  // who is to be told
  using AskerPtr = std::shared_ptr<const Asker>;

  Granularity GranularityOf(const Requested& request) const;
  bool SharesBlocks(const Requested& request) const;
  Status CheckCanAdd(const wire::Principal& principal) const;
  void Download(const AskerPtr& asker, Requested request);
  void Fetch(const AskerPtr& asker, Requested request, PreparedStore::Download download);
  void MakeIncoming(const AskerPtr& asker, Located located);
  void Prepare(const AskerPtr& asker, Located located, PreparedStore::Incoming incoming);
  void Publish(const AskerPtr& asker, Prepared prepared, Turns::Turn turn);
  void PutInCatalog(const AskerPtr& asker, Published published, Turns::Turn turn);
  void Adopt(const AskerPtr& asker, const ModelReference& reference,
             std::shared_ptr<Landed> landed);
  void Added(const AskerPtr& asker, const ModelReference& reference);

  // Drops what the add has made, and answers when it is gone from the disk.
  template <typename Made>
  void Abandon(const AskerPtr& asker, Made made, const Status& why);
  void Fail(const AskerPtr& asker, const Status& why);

  const IngestOptions options_;
  const IngestDependencies dependencies_;
  Turns* const turns_;
  IngestCounters* const counters_;
  size_t in_flight_ = 0;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_ADDER_H_
