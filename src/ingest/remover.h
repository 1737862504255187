// Remover: how models leave the catalog. Running functions keep their pages, new opens get NOT_FOUND. What an
// alias means does not leave.
//
// Thread-safety: loop only. Destroyed, it calls nobody back.
#ifndef TRIMS_INGEST_REMOVER_H_
#define TRIMS_INGEST_REMOVER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "catalog/model_reference.h"
#include "ingest/ingest_dependencies.h"
#include "ingest/turns.h"
#include "loop/while_alive.h"
#include "wire/principal.h"

namespace trims {

class Remover {
 public:
  // `turns` and `counters` outlive it too.
  Remover(const IngestDependencies& dependencies, Turns* turns, IngestCounters* counters)
      : dependencies_(dependencies), turns_(turns), counters_(counters) {}

  // Contract of Manager::Remove.
  void Remove(const wire::Principal& principal, const std::string& requested, RemoveCallback done);

  size_t in_flight() const { return in_flight_; }

 private:
  struct Removal;  // what is left to do, and what has been done

  void Begin(const ModelReference& reference, bool all_versions, RemoveCallback done,
             Turns::Turn turn);
  void EraseNext(std::unique_ptr<Removal> removal);
  void Erased(std::unique_ptr<Removal> removal);

  const IngestDependencies dependencies_;
  Turns* const turns_;
  IngestCounters* const counters_;
  size_t in_flight_ = 0;
  WhileAlive alive_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_REMOVER_H_
