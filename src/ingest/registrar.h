// Registrar: how models come into the catalog (Adder), are verified (Verifier) and leave it (Remover), and
// what stays on disk for it: the folders that an entry names, and those that a load has pinned.
//
// Thread-safety: loop only. Destroyed, it calls nobody back.
#ifndef TRIMS_INGEST_REGISTRAR_H_
#define TRIMS_INGEST_REGISTRAR_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "ingest/adder.h"
#include "ingest/aliaser.h"
#include "ingest/ingest_dependencies.h"
#include "ingest/pusher.h"
#include "ingest/remover.h"
#include "ingest/retirer.h"
#include "ingest/turns.h"
#include "ingest/verifier.h"
#include "wire/principal.h"

namespace trims {

class Registrar {
 public:
  // Starts the store: what no catalog entry names goes.
  Registrar(const IngestOptions& options, const IngestDependencies& dependencies);
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  // Contracts of Manager::Add, Remove, Verify and Push.
  void Add(const wire::Principal& principal, const std::string& requested,
           const std::string& source, const PrepareWishes& wishes, Preparer::Progress progress,
           AddCallback done) {
    adder_.Add(principal, requested, source, wishes, std::move(progress), std::move(done));
  }
  void Remove(const wire::Principal& principal, const std::string& requested, RemoveCallback done) {
    remover_.Remove(principal, requested, std::move(done));
  }
  void Verify(const wire::Principal& principal, const VerifyWishes& wishes,
              Preparer::Progress progress, VerifyCallback done) {
    verifier_.Verify(principal, wishes, std::move(progress), std::move(done));
  }

  void Push(const wire::Principal& principal, const std::string& reference,
            const std::string& destination, Preparer::Progress progress, PushCallback done) {
    pusher_.Push(principal, reference, destination, std::move(progress), std::move(done));
  }

  // Old versions, once a new one is there.
  void Retire(const std::string& name, const Retention& keep, Retirer::InUse in_use,
              RemoveCallback done) {
    retirer_.Retire(name, keep, std::move(in_use), std::move(done));
  }

  // Contracts of Manager::SetAlias, DeleteAlias and Rollback.
  Aliaser& aliaser() { return aliaser_; }

  const IngestCounters& counters() const { return counters_; }
  size_t adds_in_flight() const { return adder_.in_flight(); }
  size_t in_flight() const {
    return adder_.in_flight() + remover_.in_flight() + retirer_.in_flight() + aliaser_.in_flight() +
           verifier_.in_flight() + pusher_.in_flight();
  }

 private:
  IngestCounters counters_;
  Turns turns_;
  Adder adder_;
  Remover remover_;
  Retirer retirer_;
  Aliaser aliaser_;
  Verifier verifier_;
  Pusher pusher_;
};

}  // namespace trims

#endif  // TRIMS_INGEST_REGISTRAR_H_
