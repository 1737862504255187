// Room: admission by exact size, eviction, and the order in which admitted segments get their
// bytes.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/macros.h"
#include "residency/segment_table.h"
#include "store/eviction_policy.h"

namespace trims {
namespace {

std::string Bytes(uint64_t count) { return std::to_string(count) + " bytes"; }

}  // namespace

RoomUse SegmentTable::Use() const {
  RoomUse use;
  for (const auto& [id, segment] : segments_) {
    switch (segment->state) {
      case SegmentState::kReserved:
        use.waiting += segment->footprint;
        break;
      case SegmentState::kLoading:
        use.loading += segment->footprint;
        break;
      case SegmentState::kResident:
        (segment->leases > 0 ? use.leased : use.idle) += segment->footprint;
        break;
      case SegmentState::kDraining:
        use.draining += segment->footprint;
        break;
      case SegmentState::kAbsent:
      case SegmentState::kFailed:
        break;
    }
  }
  return use;
}

Status SegmentTable::Admit(Segment* segment) {
  if (segment->footprint > budget_.limit()) {
    return Status(StatusCode::kTooLarge,
                  "model '" + segment->reference + "' (" + std::string(VariantName(segment->kind)) +
                      ") takes " + Bytes(segment->footprint) + ", the host tier's budget is " +
                      Bytes(budget_.limit()),
                  "start trimsd with a larger budget (--host-budget)");
  }
  const RoomUse use = Use();
  const uint64_t coming = budget_.limit() - budget_.used() + use.draining;
  const uint64_t wanted = use.waiting + segment->footprint;
  if (wanted > coming) TRIMS_RETURN_IF_ERROR(Evict(wanted - coming, *segment));
  Step(segment, SegmentState::kReserved);
  wait_for_room_.push_back(segment->id);
  return {};
}

std::vector<uint64_t> SegmentTable::ChooseVictims(uint64_t needed) const {
  std::vector<EvictionCandidate> candidates;
  for (const auto& [id, segment] : segments_) {
    if (segment->state != SegmentState::kResident || segment->leases > 0) continue;
    candidates.push_back({.segment = id,
                          .bytes = segment->footprint,
                          .last_used = segment->last_used,
                          .opens = segment->opens});
  }
  return dependencies_.eviction->Choose(candidates, needed);
}

Status SegmentTable::Evict(uint64_t needed, const Segment& whom_for) {
  const std::vector<uint64_t> victims = ChooseVictims(needed);
  if (victims.empty()) return NoRoom(whom_for);
  for (const uint64_t id : victims) {
    Segment* victim = FindById(id);
    if (victim == nullptr || victim->state != SegmentState::kResident || victim->leases > 0) {
      continue;  // a policy that names what is no candidate evicts nothing by it
    }
    ++counters_->evictions;
    counters_->bytes_evicted += victim->footprint;
    LogInfo("segment.evicted", {{"model", victim->reference},
                                {"variant", VariantName(victim->kind)},
                                {"bytes", victim->footprint},
                                {"for", whom_for.reference}});
    Drain(victim);
  }
  return {};
}

Status SegmentTable::NoRoom(const Segment& segment) const {
  const RoomUse use = Use();
  std::string message = "no room for model '" + segment.reference + "' (" +
                        std::string(VariantName(segment.kind)) + "): it takes " +
                        Bytes(segment.footprint) + " of " + Bytes(budget_.limit()) + "; " +
                        Bytes(use.leased) + " are in use by " + std::to_string(leases_) +
                        " leases, " + Bytes(use.loading + use.waiting) +
                        " by loads on their way, " + Bytes(use.draining) + " are being freed";
  if (use.idle > 0) {
    message += ", " + Bytes(use.idle) + " are idle, of which policy '" +
               std::string(dependencies_.eviction->name()) + "' gives up too little";
  }
  return Status(StatusCode::kResourceExhausted, message,
                "close models that are in use (trims status shows them), or start trimsd with a "
                "larger budget");
}

void SegmentTable::Drain(Segment* segment) {
  Step(segment, SegmentState::kDraining);
  ResidentBytes bytes = *std::exchange(segment->bytes, std::nullopt);
  dependencies_.loader->Free(std::move(bytes),
                             [this, alive = std::weak_ptr<bool>(alive_), id = segment->id] {
                               if (!alive.expired()) Drained(id);
                             });
}

void SegmentTable::Drained(uint64_t id) {
  Entry entry(this);
  Segment* segment = FindById(id);
  segment->room.Release();
  Step(segment, SegmentState::kAbsent);
  FillRoom();
  if (segment->waiters.empty()) return Forget(segment);
  // Opened while it was being freed: it comes back, behind those who waited for its room.
  if (const Status status = Admit(segment); !status.ok()) {
    FailWaiters(segment, status);
    return Forget(segment);
  }
  FillRoom();
}

void SegmentTable::FillRoom() {
  while (!wait_for_room_.empty()) {
    Segment* segment = FindById(wait_for_room_.front());
    Result<Reservation> room = budget_.Reserve(segment->footprint);
    if (!room.ok()) return;  // what was promised to it is still being freed
    wait_for_room_.pop_front();
    StartLoad(segment, *std::move(room));
  }
}

}  // namespace trims
