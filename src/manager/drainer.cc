#include "manager/drainer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "ingest/check_operator.h"

namespace trims {

// A tier tells of its quiet when it is.
Drainer::~Drainer() {
  for (const auto& tier : *tiers_) tier->SetWhenQuiet({});
}

Status Drainer::Refused() {
  return Status(StatusCode::kUnavailable, "this daemon drains: it gives no new leases",
                "open it at another daemon, or let this one serve again: trims drain --off");
}

Result<DrainSnapshot> Drainer::Drain(const wire::Principal& principal, bool on,
                                     const FindHolders& holders) {
  TRIMS_RETURN_IF_ERROR(CheckOperator(principal));
  if (draining_ != on) {
    LogInfo(on ? "drain.begun" : "drain.ended", {{"leases", Snapshot().leases}});
    events_->Record({.kind = on ? EventKind::kDrainBegun : EventKind::kDrainEnded,
                     .leases = Snapshot().leases});
  }
  draining_ = on;
  for (const auto& tier : *tiers_) {
    tier->SetWhenQuiet(on ? [this] { TellQuiet(); } : std::function<void()>());
  }
  if (!on) CancelWaits();
  DrainSnapshot snapshot = Snapshot();
  if (holders) snapshot.holders = holders("", "");
  return snapshot;
}

void Drainer::CancelWaits() {
  const Status ended(StatusCode::kCancelled, "the daemon serves again: trims drain --off",
                     "trims drain --wait");
  for (const DrainCallback& done : std::exchange(awaiting_quiet_, {})) done(ended);
}

void Drainer::AwaitQuiet(DrainCallback done) {
  if (Quiet()) return done(Snapshot());
  awaiting_quiet_.push_back(std::move(done));
}

bool Drainer::Quiet() const {
  return std::all_of(tiers_->begin(), tiers_->end(),
                     [](const auto& tier) { return tier->Quiet(); });
}

void Drainer::TellQuiet() {
  if (!Quiet()) return;
  LogInfo("drain.done", {});
  for (const DrainCallback& done : std::exchange(awaiting_quiet_, {})) done(Snapshot());
}

DrainSnapshot Drainer::Snapshot() const {
  DrainSnapshot snapshot{.draining = draining_, .holders = {}};
  for (const auto& tier : *tiers_) {
    snapshot.leases += tier->leases();
    snapshot.waiters += tier->waiters();
  }
  return snapshot;
}

}  // namespace trims
