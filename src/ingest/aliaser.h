// Aliaser: how aliases are made, moved from version to version, moved back and forgotten.
//
// A change is durable when it is answered, and holds from then on: an open that begins after it gets what
// the alias means now, and who has the other version open keeps it. It takes its turn with adds and
// removals, so that no version goes in the moment in which an alias comes to mean it.
//
// Thread-safety: loop only. Destroyed, it calls nobody back.
#ifndef TRIMS_INGEST_ALIASER_H_
#define TRIMS_INGEST_ALIASER_H_

#include <cstddef>
#include <functional>
#include <string>

#include "trims/status.h"

#include "catalog/alias.h"
#include "ingest/ingest_dependencies.h"
#include "ingest/turns.h"
#include "loop/while_alive.h"
#include "wire/principal.h"

namespace trims {

// The alias as it is now; of one that was forgotten, as it was.
using AliasCallback = std::function<void(Result<Alias>)>;

class Aliaser {
 public:
  // `turns` outlives it too.
  Aliaser(const IngestDependencies& dependencies, Turns* turns)
      : dependencies_(dependencies), turns_(turns) {}

  // Contracts of Manager::SetAlias, DeleteAlias and Rollback.
  void Set(const wire::Principal& principal, const std::string& alias, const std::string& reference,
           AliasCallback done);
  void Delete(const wire::Principal& principal, const std::string& alias, AliasCallback done);
  void Rollback(const wire::Principal& principal, const std::string& alias, AliasCallback done);

  size_t in_flight() const { return in_flight_; }

 private:
  // What is done with an alias of that name once it is this one's turn.
  using Change = std::function<void(const AliasName& name, AliasCallback done)>;
  void InTurn(const wire::Principal& principal, const std::string& alias, AliasCallback done,
              Change change);
  Result<Alias> Moved(const AliasName& name, const std::string& reference) const;
  Result<Alias> MovedBack(const AliasName& name) const;
  void Put(Alias alias, AliasCallback done);

  const IngestDependencies dependencies_;
  Turns* const turns_;
  size_t in_flight_ = 0;
  WhileAlive alive_;
};

// ALREADY_EXISTS: an alias has that name, so no model can.
Status CheckIsNoAlias(const Catalog& catalog, const std::string& name, const std::string& version);

}  // namespace trims

#endif  // TRIMS_INGEST_ALIASER_H_
